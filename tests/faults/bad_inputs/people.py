"""Bad inputs 28 to 37: people files. The column of a place is the number of the cell."""

from __future__ import annotations

from tests.faults.bad_inputs.case import Attempt, BadInput, Content, Error

IMPORT = ("people", "import", "rows.csv")
ADDRESS = "Write it like ana@example.com."
ALONE = "Write the address alone, without a name."
LOOP = "zoe@example.com → yan@example.com → xia@example.com → zoe@example.com"
TOP = "Leave the cell empty for the person at the top."


def refused(rows: Content, *errors: tuple[str, str, str]) -> Attempt:
    told = tuple(Error(f"rows.csv:{place}", cause, fix) for place, cause, fix in errors)
    return Attempt((IMPORT,), told, {"rows.csv": rows})


def taken(rows: Content, email: str, *says: str) -> Attempt:
    return Attempt((IMPORT, ("people", "show", email)), (), {"rows.csv": rows}, says=says, status=0, done=True)


def _too_many(last: bytes) -> Content:
    return lambda: b"email,name\n" + b"ana@example.com,Ana\n" * 1_000_000 + last


PEOPLE = (
    BadInput(28, "missing column", (
        refused("name,department\nZoe,Sales\n", ("1:1", "The column 'email' is missing",
                "Name the column of the addresses 'email'")),
        refused("zoe@example.com,Zoe\n", ("1:1", "The column 'email' is missing", "put the column names above it")),
    )),
    BadInput(29, "duplicate id", (
        refused("id,email\n1,zoe@example.com\n1,yan@example.com\n",
                ("3:1", "The id '1' is taken by line 2", "Give each person an id of their own")),
    )),
    BadInput(30, "same address, two ids", (
        refused("id,email\n1,zoe@example.com\n2,Zoe@Example.com\n",
                ("3:2", "The address 'zoe@example.com' has another id in line 2", "Keep one row for each person")),
    )),
    BadInput(31, "bad address", (
        refused("email\nzoe\nzoe@\n@example.com\nz@b@c.com\nzoe@example\n.zoe@example.com\nzoe..kim@example.com\n"
                "zoe@-example.com\nzoe@[127.0.0.1]\nmailto:zoe@example.com\n" + "x" * 65 + "@example.com\n",
                *((f"{line}:1", "is not an e-mail address", ADDRESS) for line in range(2, 13))),
        refused("email\nzoe kim@example.com\nZoe <zoe@example.com>\n",
                *((f"{line}:1", "is more than an e-mail address", ALONE) for line in (2, 3))),
    )),
    BadInput(32, "line break or encoded word in address or name", (
        refused('email,name\n"zoe@example.com\r\nBcc: eve@example.com",Zoe\n'
                'yan@example.com,=?utf-8?q?Yan=0D=0ABcc=3A_eve?=\n'
                'xia@example.com,"Xia\r\nBcc: eve@example.com"\n',
                ("2:1", "The e-mail address contains a line break", "Type it again"),
                ("4:2", "The name contains '=?', which mail programs decode", "Write it in plain letters"),
                ("5:2", "The name contains a line break", "Type it again")),
    )),
    BadInput(33, "letters beyond ASCII in an address", (
        taken("email,name\nzoe@büro.example,Zoe\n", "zoe@xn--bro-hoa.example", "email: zoe@xn--bro-hoa.example"),
        refused("email\nzoë@example.com\nzoe@" + "ü" * 70 + ".com\n",
                ("2:1", "'zoë@example.com' has letters beyond a-z before the @",
                        "Use the person's address in plain letters"),
                ("3:1", "has a domain that does not exist", ADDRESS)),
    )),
    BadInput(34, "empty name", (
        refused("email,name\nzoe@example.com,\nyan@example.com,  \n",
                *((f"{line}:2", "The name is empty", "Write the name, or take the whole column out") for line in (2,
                        3))),
    )),
    BadInput(35, "field of 10 MB, 1,000,001 rows", (
        refused(lambda: b'email,name\nzoe@example.com,"' + b"x" * 10_000_000 + b'"\n',
                ("2:1", "A cell has more than 131,072 characters", "Close the quotation mark, or shorten the cell")),
        refused(_too_many(b"zoe@example.com,Zoe\n"), ("1000002:1", "more than 1,000,000 rows", "Split it in parts")),
        refused(_too_many(b"zoe@example.com,Zoe"), ("1000002:1", "more than 1,000,000 rows", "Split it in parts")),
    )),
    BadInput(36, "what spreadsheets save (taken)", (
        taken("\ufeffemail;name\r\nzoe@example.com;Zoë Müller\r\n", "zoe@example.com", "name: Zoë Müller"),
        taken("email;name\r\nzoe@example.com;Zoë Müller – „Z“\r\n".encode("cp1252"), "zoe@example.com",
              "name: Zoë Müller – „Z“"),
        taken("email\tname\r\nzoe@example.com\tZoë Müller\r\n".encode("utf-16"), "zoe@example.com", "name: Zoë Müller"),
        taken(b"email;name\r\nzoe@example.com;M\x81ller\r\n", "zoe@example.com", "name: Müller"),
    )),
    BadInput(37, "manager loop", (
        refused("email,manager\nzoe@example.com,yan@example.com\nyan@example.com,xia@example.com\n"
                "xia@example.com,zoe@example.com\nwim@example.com,wim@example.com\n",
                *((f"{line}:2", f"Managers form a circle: {LOOP}", TOP) for line in (2, 3, 4))),
    )),
)  # fmt: skip
