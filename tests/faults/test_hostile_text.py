"""Hostile text in every field of a plan and of a people row: refused where it stands, or text it stays.

What is sent is compared with what is sent for harmless words: the same headers in the finished bytes, the same tags in
the HTML, as many lines of plain text, the same Slack blocks, and neither a link nor a mention more.
"""

from __future__ import annotations

import copy
import csv
import email
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from email.header import decode_header, make_header
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest

from commsengine.authoring.check import check
from commsengine.authoring.people.headings import names_columns
from commsengine.authoring.people.people_file import FORMULA, load_people
from commsengine.authoring.people.table import read_table
from commsengine.cadence.people import KNOWN, Person
from commsengine.cadence.plan import Plan
from commsengine.cadence.population import ListedPeople
from commsengine.channels.mime import message_bytes
from commsengine.content.message import RenderedMessage
from commsengine.content.person_values import Signers
from commsengine.content.render import Renderer
from tests.authoring.exported import exported
from tests.builders import BEN
from tests.content.desk import DANA, SAM, SHIPPED, a_renderer, a_touch
from tests.content.test_hostile import Shape

HARMLESS = "harmless"
HOSTILE = {
    "NUL": "a\0b", "bell and escape": "a\x07\x1b[31mb", "C1": "a\x9bb", "next line": "a\x85b", "vertical tab": "a\x0bb",
    "line break": "a\nBcc: eve@example.com", "return": "a\rb", "two line breaks": "a\r\n\r\n<b>b</b>",
    "line separator": "a\u2028b", "right-to-left": "a\u202ebmoc.elpmaxe", "isolate": "a\u2066b\u2069",
    "mark": "a\u200fb", "zero width": "a\u200bb\u2060\u200d", "byte order": "a\ufeffb",
    "our own marks": "\ue000s6e616d65\ue002",
    "header": "a\r\nBcc: eve@example.com", "encoded word": "=?utf-8?q?a=0D=0ABcc=3A_eve=40example.com?=",
    "address": '"Eve" <eve@example.com>, b', "channel": "<!channel> <!here> @channel", "user": "<@U012AB> @eve",
    "Slack link": "<https://evil.example.com|click>", "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=y>',
    "link": "[a](javascript:alert(1))", "bare link": "javascript:alert(1)",
    "image": "![a](https://evil.example.com/p.gif)",
    "expression": "{{ 7*7 }}", "class": "{{ ''.__class__ }}", "statement": "{% for %}", "comment": "{# a",
    "other languages": "'; DROP TABLE touch; -- $(id) ${x} %s %(x)s {0}", "formula": "=cmd|' /C calc'!A0",
    "formula of another width": "＝1+1",
    "long word": "x" * 150, "very long": "x" * 11_000, "emoji": "\U0001f469\u200d\U0001f4bb \U0001f3f3\ufe0f",
    "entities": "&lt;b&gt; &#x202e; &amp;", "boundary": "--=_key--", "end of mail": ".", "table": "</td></table>]]>-->",
}  # fmt: skip


# -- what is sent, without its words ---------------------------------------------------------------


def anatomy(message: RenderedMessage) -> dict[str, Any]:
    """The structure of a message, from its finished bytes or its blocks."""
    if message.channel == "slack":
        told = json.dumps([*message.blocks, message.text], ensure_ascii=False)
        assert not re.search(r"<[!@#]|@here|@channel|@everyone", told)
        return {"blocks": _bones(_unlisted(message.blocks)), "links": len(re.findall(r"<https?://", told))}
    mail = email.message_from_bytes(message_bytes(message, "change@example.com"))
    plain, html = (part.get_payload(decode=True).decode() for part in mail.get_payload())  # type: ignore[union-attr]
    shown = {name: str(make_header(decode_header(value))) for name, value in mail.items()}
    assert not re.search("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", plain + html)
    assert not re.search("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", "".join(shown.values()))
    return {
        "headers": mail.keys(),
        "people": [[one for _, one in getaddresses([mail[name]])] for name in ("From", "To", "Reply-To")],
        "parts": [part.get_content_type() for part in mail.walk()],
        "defects": [defect for part in mail.walk() for defect in part.defects],
        "tags": Shape(html).seen,
        "lines": len(plain.splitlines()),
        "links": sorted(re.findall(r'href="(\w+:/*[^/"]*)', html)),
    }


def _unlisted(blocks: Sequence[Any]) -> list[Any]:
    """Answers too long for buttons are listed above them, and the buttons say A, B, C: that alone may differ."""
    first = next((place for place, block in enumerate(blocks) if block.get("block_id") == "check-0"), 0)
    listed = first and blocks[first]["elements"][0]["text"]["text"] == "A"
    return [block for place, block in enumerate(blocks) if not (listed and place == first - 1)]


def _bones(node: Any) -> Any:
    """Blocks without their texts, nor what an answer's button is called.

    A title too long for a header stands in a section; nothing else may change.
    """
    if isinstance(node, dict):
        kept = {
            key: _bones(value) for key, value in node.items() if key not in ("value", "text") or isinstance(value, dict)
        }
        if str(kept.get("action_id", "")).startswith("check_"):
            kept["action_id"] = "check"
        return "title or section" if kept.get("type") in ("header", "section") and "accessory" not in kept else kept
    return [_bones(each) for each in node] if isinstance(node, list | tuple) else node


# -- people -----------------------------------------------------------------------------------------

COLUMNS = [*KNOWN, "depot"]
ROW = {
    "email": "ann{0}@example.com", "id": "{0}", "name": "Ann", "department": "Sales", "job": "Rep", "manager": "",
    "country": "DE", "region": "BE", "time_zone": "Europe/Berlin", "language": "en", "phone": "1", "channel": "email",
    "slack_id": "U0{0}", "days": "mon", "leave": "2027-02-08", "left": "", "depot": "North",
}  # fmt: skip
EVERY_COLUMN = " ".join(
    f"{{{{ person.{column} }}}}" for column in ("name", "first_name", "department", "job", "phone", "depot")
)
ABOUT = {
    "id": "about", "key_point": "{{ person.first_name }}, {{ person.department }}, {{ person.depot }}",
    "from": "kickoff",
    "until": "go_live", "cadence": {"every": "48h", "times": 5}, "subject": "{{ person.name }}: {{ person.depot }}",
    "sender": "manager",
    "text": f"# {EVERY_COLUMN}\n\n- **{EVERY_COLUMN}**\n\n[x](https://x.example.com/{{{{ person.name }}}}) "
            "`{{ person.phone }}`"
            "\n\n{{ manager.name }} {{ manager.phone }} {{ sender.job }} {{ lead.name }}",
}  # fmt: skip


@pytest.fixture(scope="module")
def writer() -> Renderer:
    """Writes a message that shows every column, also in its subject, in a link and as its sender."""
    raw = {**_plan(), "messages": [ABOUT]}
    return a_renderer(Plan.model_validate(raw))


def mails(writer: Renderer, person: Person) -> list[dict[str, Any]]:
    cast = Signers(replace(person, email=DANA.email), replace(person, email="mia@example.com"), SAM)
    found = []
    for channel in ("email", "slack"):
        touch = a_touch("about", channel=channel, role="sales")
        found.append(anatomy(writer.touch(touch, replace(person, email="ann@example.com"), cast)))
    return found


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, tuple[str, str]]]:
    """A people file with each hostile text in each column, one a row, and which line holds which."""
    held = [(column, name) for column in COLUMNS for name in HOSTILE]
    path = tmp_path_factory.mktemp("rows") / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for number, (column, name) in enumerate(held):
            table.writerow({**{key: value.format(number) for key, value in ROW.items()}, column: HOSTILE[name]})
    return path, {line: pair for (line, _), pair in zip(read_table(path, names_columns).rows, held, strict=True)}


def test_a_cell_is_refused_with_one_error_at_its_place_or_taken(rows: tuple[Path, dict[int, tuple[str, str]]]) -> None:
    path, lines = rows
    read = load_people(path)
    for problem in read.rejected:
        assert problem.column == COLUMNS.index(lines[problem.line][0]) + 1, str(problem)
        assert str(problem).isprintable(), "a quoted value must not act on a terminal"
    told = Counter(problem.line for problem in read.rejected)
    assert set(told.values()) == {1}
    assert len(told) + len(read.people) == len(lines)
    refused = {lines[line] for line in told}
    for column in ("email", "country", "region", "time_zone", "language", "channel", "slack_id", "days"):
        assert {(column, name) for name in HOSTILE} <= refused
    assert {person.manager for person in read.people} <= {"", *(person.email for person in read.people)}
    for name in UNSEEN - {"return", "two line breaks", "header"}:  # an attribute may have several lines
        assert {(column, name) for column in COLUMNS} <= refused, name
    for name in ("header", "encoded word"):
        assert {("name", name), ("job", name), ("phone", name), ("id", name)} <= refused, name


def test_whatever_a_row_holds_what_is_sent_keeps_its_structure(
    rows: tuple[Path, dict[int, tuple[str, str]]], writer: Renderer
) -> None:
    people = load_people(rows[0]).people
    assert len(people) > 100
    plain = mails(writer, replace(BEN, name="Ann", job="Rep", phone="1", attributes={"depot": "North"}))
    for person in {_shown(person): person for person in people}.values():
        found = mails(writer, person)
        assert found == plain or _cut(found, plain), ascii(person)[:400]


def test_whatever_the_database_holds_what_is_sent_keeps_its_structure(writer: Renderer) -> None:
    """As if an older program had let everything in."""
    plain = mails(writer, replace(BEN, name="Ann", job="Rep", phone="1", attributes={"depot": "North"}))
    for text in (*HOSTILE.values(), "\ud800", "x" * 10_000_000):
        person = replace(
            BEN, name=f"a {text}", job=text or "-", phone=text, department=text, attributes={"depot": text}
        )
        found = mails(writer, person)
        assert found == plain or _cut(found, plain), ascii(person)[:400]


def _shown(person: Person) -> tuple[str, ...]:
    """What of a person the message shows."""
    return (person.name, person.job, person.phone, person.department, *person.attributes.values())


def _cut(found: list[dict[str, Any]], plain: list[dict[str, Any]]) -> bool:
    """The same but for links at the end of a Slack section that ran out of room."""
    fewer = [{**one, "links": same["links"]} for one, same in zip(found, plain, strict=True)]
    return fewer == plain and found[0] == plain[0] and found[1]["links"] < plain[1]["links"]


def test_a_spreadsheet_runs_nothing_of_an_export_and_it_reads_back(
    rows: tuple[Path, dict[int, tuple[str, str]]], tmp_path: Path
) -> None:
    people = load_people(rows[0]).people
    written = exported([replace(person, attributes={"=1+1": "x", **person.attributes}) for person in people])
    cells = [cell for row in csv.reader(io.StringIO(written, newline="")) for cell in row]
    assert len(cells) > 1000
    assert not [cell for cell in cells if cell.startswith(FORMULA)]
    (tmp_path / "again.csv").write_bytes(exported(people).encode())
    again = load_people(tmp_path / "again.csv")
    assert again.people == people
    assert again.rejected == ()


# -- plans ------------------------------------------------------------------------------------------

Path_ = tuple[str | int, ...]


def _plan() -> dict[str, Any]:
    """A plan with every field that holds a text; each is on a line of its own when it is written."""
    wiifm = {"why": HARMLESS, "your_job": HARMLESS, "skills": HARMLESS, "measures": HARMLESS, "results": HARMLESS}
    message = {"key_point": HARMLESS, "from": "kickoff", "until": "go_live", "cadence": {"every": "48h", "times": "5"}}
    question = {"question": HARMLESS, "answers": ["first", "second"], "right": "second", "because": HARMLESS}
    return {
        "campaign": "crm", "title": HARMLESS, "owner": ["dana@example.com"], "sponsor": "sam@example.com",
        "milestones": {"kickoff": "2027-01-11", "go_live": {"date": "2027-03-15", "because": HARMLESS}},
        "phases": {"listen": {"until": "go_live", "goal": HARMLESS}},
        "audience": {"roles": {"sales": {"department": ["Sales", HARMLESS]}}},
        "send": {"channels": ["email", "slack"], "time_zone": "Europe/Berlin"},
        "wiifm": {"sales": wiifm},
        "messages": [
            {"id": "input", **message, "subject": HARMLESS, "text": HARMLESS, "link": "https://example.com/a",
             "ask": "input", "input": {"question": HARMLESS, "kind": "choice", "choices": ["first", "second"]}},
            {"id": "check", **message, "ask": "check", "checks": [question]},
            {"id": "commit", **message, "ask": "commit", "commit": HARMLESS, "wiifm": {"sales": {"results": HARMLESS}}},
        ],
        "follow_up": [{"after": "2 touches", "do": "remind"}, {"after": "2 touches", "do": "personal"}],
    }  # fmt: skip


UNSEEN = {"NUL", "bell and escape", "C1", "next line", "vertical tab", "return", "two line breaks", "line separator",
          "right-to-left", "isolate", "byte order", "header"}  # fmt: skip
FREE = ("title", "because", "goal", "key_point", "subject", "text", "question", "commit",
        "why", "your_job", "skills", "measures", "results", "choices", "answers", "department")  # fmt: skip
NAMED = {"campaign", "sponsor", "owner", "date", "until", "from", "channels", "time_zone", "id", "link", "every",
         "times", "ask", "kind", "right", "after", "do", "kickoff"}  # fmt: skip
"""Fields that hold no free text: hostile text is nothing they can be."""


def leaves(node: Any, path: Path_ = ()) -> Iterator[tuple[Path_, str]]:
    if isinstance(node, str):
        yield path, node
    else:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(value, (*path, key))


def field_of(path: Path_) -> str:
    return next(part for part in reversed(path) if isinstance(part, str))


PATHS = [path for path, _ in leaves(_plan())]


def with_text(paths: Sequence[Path_], text: str) -> dict[str, Any]:
    """The plan with a text in these fields. Answers and choices begin differently, so that they stay different."""
    plan = copy.deepcopy(_plan())
    for path in paths:
        node: Any = plan
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = f"{node[path[-1]]} {text}" if field_of(path) in ("answers", "choices") else text
    check = plan["messages"][1]["checks"][0]
    check["right"] = check["answers"][1]
    return plan


def told(folder: Path, plan: dict[str, Any]) -> tuple[Plan | None, dict[Path_, list[str]]]:
    """What ``check`` says of it: each error by the field in whose line it stands."""
    written = json.dumps(plan, ensure_ascii=False, indent=1)
    path = folder / "plan.yaml"
    path.write_text(re.sub("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]", _escaped, written), encoding="utf-8")
    lines = [number for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1) if _is_leaf(line)]
    field = dict(zip(lines, PATHS, strict=True))
    result = check(path, root=folder, people=ListedPeople((BEN,)), templates=SHIPPED)
    errors: dict[Path_, list[str]] = {}
    for problem in result.problems:
        assert str(problem).isprintable()
        if problem.severity == "error":
            errors.setdefault(field[problem.line], []).append(str(problem))
    return result.plan, errors


def _escaped(found: re.Match[str]) -> str:
    """As an author would have to write it, for no editor shows it."""
    return f"\\u{ord(found[0]):04x}"


def _is_leaf(line: str) -> bool:
    return line.rstrip(",").endswith('"')


def sent(plan: Plan) -> list[Any]:
    """The structure of everything that goes out for this plan: each message by mail and Slack, talking points."""
    renderer = a_renderer(plan)
    cast = Signers(DANA, replace(DANA, name="Mia Wolf"), SAM)
    found: list[Any] = []
    for message in plan.messages:
        for channel in ("email", "slack"):
            touch = a_touch(message.id, channel=channel, role="sales")
            found.append((message.id, anatomy(renderer.touch(touch, BEN, cast))))
        points = renderer.talking_points(message.id, "sales", BEN, cast, ["email"])
        found.append(len(points.text.splitlines()))
    return found


@pytest.fixture(scope="module")
def plain() -> list[Any]:
    return sent(Plan.model_validate(_plan()))


def test_every_field_of_a_plan_is_looked_at() -> None:
    assert {field_of(path) for path in PATHS} == {*FREE, *NAMED}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_text_of_a_plan_is_refused_at_its_place_or_changes_no_structure(
    name: str, tmp_path: Path, plain: list[Any]
) -> None:
    """In all fields at once: each is told by one error of its own, for all problems are told at once."""
    text = HOSTILE[name]
    free = [path for path, harmless in leaves(_plan()) if field_of(path) in FREE and harmless != "Sales"]
    refused: set[Path_] = set()
    plan = None
    for _ in range(3):  # a plan with errors is not rendered on trial: what that finds is told then
        plan, errors = told(tmp_path, with_text([path for path in free if path not in refused], text))
        assert [said for said in errors.values() if len(said) > 1] == []
        assert (plan is None) == bool(errors), errors
        if plan is not None:
            break
        refused |= set(errors)
        if refused >= set(free):
            return
    assert plan is not None
    assert name not in UNSEEN, "what nobody can see stands in no field"
    assert sent(plan) == plain
