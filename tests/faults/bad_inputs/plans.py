"""Bad inputs 1 to 27: plans and templates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.authoring.written import PLAN, slip
from tests.faults.bad_inputs.case import Attempt, BadInput, Content, Error

MINE = slip("id: one-record", "id: one-record\n    template: mine")
"""The plan with a template of the workspace's own."""

GAP = "does not exist on 2027-03-28 in Europe/Berlin: clocks change; 03:00 is used"
ONLY_SHOWN = "Templates only show values"


def refused(
    text: Content, *errors: tuple[str, str, str], arrange: Callable[[Path], None] | None = None, **files: Content
) -> Attempt:
    """A plan that neither ``check`` nor ``apply`` takes; a place without a file is one of the plan."""
    told = [Error(place if ".md:" in place or ".html:" in place else f"plan.yaml:{place}", *why)
            for place, *why in errors]  # fmt: skip
    named = {f"message_templates/{name.replace('__', '.')}": content for name, content in files.items()}
    commands = (("check", "plan.yaml"), ("apply", "plan.yaml", "--yes"))
    return Attempt(commands, tuple(told), {"plan.yaml": text, **named}, arrange=arrange)


def bomb(template: str, cause: str, fix: str = ONLY_SHOWN, column: int = 1) -> Attempt:
    return refused(MINE, (f"message_templates/mine.md:1:{column}", cause, fix), mine__md=template)


def taken(text: Content, *says: str, command: tuple[str, ...] = ("check", "plan.yaml")) -> Attempt:
    return Attempt((command,), (), {"plan.yaml": text}, says=says, status=0, done=True)


def _symlink(folder: Path) -> None:
    (folder / "message_templates").mkdir()
    (folder / "message_templates" / "mine.md").symlink_to("/etc/hostname")


def _many_messages() -> bytes:
    head = PLAN.partition("messages:")[0]
    message = "  - id: m{0}\n    key_point: Point {0}.\n    from: kickoff\n    until: 2029-01-01\n"
    message += "    cadence: {{every: 24h, times: 100}}\n"
    return (head + "messages:\n" + "".join(message.format(number) for number in range(101))).encode()


_EMPTY = ("1:1", "The file is empty.", "Write its keys, or begin with 'commsengine init'.")
_DEEP = ("nested more than 40 levels deep", "Take out the surplus brackets")
_BETWEEN_LETTERS = "'join' comes after something that is not one of the lists"
_SECRET = "Take it out, put it in .env or the environment, and make a new one where it came from"

PLANS = (
    BadInput(1, "empty file", (refused("", _EMPTY), refused("# soon\n\n", _EMPTY), refused("---\n", _EMPTY))),
    BadInput(2, "tab indent", (
        refused(slip("  kickoff", "\tkickoff"), ("6:1", "indented with a tab", "Write spaces instead")),
    )),
    BadInput(3, "duplicate key", (
        refused(slip("    until: go_live\n", "    until: go_live\n    until: kickoff\n"),
                ("24:5", "'until' is written twice; the first is in line 23", "Keep one of them")),
    )),
    BadInput(4, "unknown key", (
        refused(slip("    ask: input", "    ask: input\n    subjct: x"),
                ("26:5", "The key 'subjct' is not known here", "Did you mean 'subject'?")),
    )),
    BadInput(5, "alias bomb", (
        refused("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
                ("1:4", "'&a' is a YAML anchor, which is not allowed here", "Write the text out")),
    )),
    BadInput(6, "20,000 nested brackets", (
        refused("[" * 20_000, ("1:41", *_DEEP)),
        refused(slip("title: One", "title: " + "[" * 20_000), ("2:48", *_DEEP)),
    )),
    BadInput(7, "tag that makes an object", (
        refused(slip("title: One", "title: !!python/object/apply:os.system One"),
                ("2:8", "'!!python/object/apply:os.system' is a YAML tag", "Take it out")),
    )),
    BadInput(8, "two documents", (
        refused(PLAN + "---\na: 1\n", ("38:1", "A second document begins here", "take out this '---'")),
    )),
    BadInput(9, "bytes that are no UTF-8 text", (
        refused(PLAN.replace("One customer", "One\0customer"), ("2:11", "The file contains a NUL", "Delete it")),
        refused(slip("title: One", 'title: "One\\0"\n#'), ("2:8", "A backslash writes a NUL into this text",
                "Take it out")),
        refused(PLAN.encode("utf-16"), ("1:1", "saved as UTF-16", "Save it as UTF-8")),
        refused(PLAN.encode("utf-32"), ("1:1", "saved as UTF-32", "Save it as UTF-8")),
        refused(PLAN.replace("One customer", "Für Müller").encode("latin-1"),
                ("2:9", "The byte 0xFC is not UTF-8; the file was probably saved as Latin-1", "Save it as UTF-8")),
    )),
    BadInput(10, "30 February", (
        refused(slip("2027-01-11", "2026-02-30"),
                ("6:12", "'2026-02-30' is not a day of the calendar", "Check the month and the day")),
    )),
    BadInput(11, "times of day", (
        taken(slip('from: "09:00"', "from: 09:30"), "09:30", command=("simulate", "plan.yaml", "--from", "2027-01-11",
                "--until", "2027-01-14", "--json")),
        refused(slip('from: "09:00"', "from: 9.30"), ("14:51", "'9.30' is not a time of day", "Write HH:MM")),
        refused(slip('to: "16:30"', "to: 25:00"), ("14:64", "'25:00' is not a time of day", "from 00 to 24")),
    )),
    BadInput(12, "time zones", (
        refused(slip("Europe/Berlin", "CET+1"), ("15:14", "'CET+1' is not a time zone", "Write a place instead")),
        refused(slip("Europe/Berlin", "Europe/Berln"),
                ("15:14", "'Europe/Berln' is not a time zone", "Did you mean 'Europe/Berlin'")),
    )),
    BadInput(13, "local time that a clock change leaves out (advice)", (
        taken(slip("from: kickoff + 7d", "from: 2027-03-28 02:30").replace("until: go_live + 14d", "until: 2027-05-30"),
              f"plan.yaml:30:11: advice: 02:30 {GAP}"),
        taken(slip("[mon, tue, wed, thu, fri], from: \"09:00\", to: \"16:30\"",
                "[sun], from: \"02:15\", to: \"06:45\""),
              f"plan.yaml:14:31: advice: 02:15 {GAP}"),
    )),
    BadInput(14, "end before start", (
        refused(slip("go_live + 14d", "kickoff - 1d"),
                ("31:12", "'one-record' begins on 2027-01-18 and ends on 2027-01-10", "Write a later 'until'")),
    )),
    BadInput(15, "every 0 days, every 30 s", (
        refused(slip("every: 48h", "every: 0 days"), ("32:22", "'every' is shorter than a day", "Write at least 24h")),
        refused(slip("every: 48h", "every: 30 s"), ("32:22", "'30 s' is not a span of time",
                "Write a number and a unit")),
    )),
    BadInput(16, "more than 10,000 touches", (
        refused(slip("go_live + 14d\n    cadence: {every: 48h, times: 6}", "2099-12-31\n    cadence: {every: 24h}"),
                ("32:5", "One person would get 26,647 messages, more than 10,000", "Write 'times'")),
        refused(_many_messages, ("524:5", "One person would get 10,100 messages, more than 10,000", "Write 'times'")),
    )),
    BadInput(17, "role that nobody is in", (
        refused(slip("department: [Sales]", "department: [Salez]"),
                ("10:5", "The role 'sales' selects nobody", "did you mean 'Sales'?")),
        refused(slip("department: [Sales]", "deparment: [Sales]"),
                ("10:13", "The people file has no column 'deparment'", "Did you mean 'department'?")),
        refused(slip("id: one-record", "id: one-record\n    to: [saless]"),
                ("29:10", "There is no role 'saless'", "Did you mean 'sales'?")),
    )),
    BadInput(18, "channel that does not exist", (
        refused(slip("[email]", "[sms]"), ("13:14", "'channels' cannot be 'sms'",
                "Write 'slack' or 'email'")),
    )),
    BadInput(19, "unknown template", (
        refused(slip("id: one-record", "id: one-record\n    template: wiifn"),
                ("29:15", "There is no template 'wiifn'", "Did you mean 'wiifm'?")),
    )),
    BadInput(20, "template outside of its folder", (
        refused(slip("id: one-record", "id: one-record\n    template: ../x"),
                ("29:15", "'template' cannot be '../x'", "no folder, no ending")),
        refused(MINE.replace("One customer", "'One"), ("2:8", "A quotation mark is opened here", "Close it"),
                ("message_templates/mine.md:1:1", "This template leads out of its folder",
                        "Put a copy of the file there"),
                arrange=_symlink),
    )),
    BadInput(21, "undefined variable", (
        refused(MINE, ("message_templates/mine.md:3:17", "'person.first_nme' is not defined",
                "mean person.first_name?"),
                mine__md="# {{ key_point }}\n\nHello {{ person.first_nme }}\n"),
        refused(slip("text: [Two lines after each call., Your colleague reads them., A phone is enough.]",
                     "text: |\n      Hello there.\n      {{ first_nme }}, look."),
                ("35:10", "'first_nme' is not defined",
                 "Did you mean person.first_name? Known here: campaign, lead, manager, milestones, person")),
    )),
    BadInput(22, "template bomb", (
        bomb("{% for a in points %}{% for b in points %}{% for c in points %}x{% endfor %}{% endfor %}{% endfor %}",
             "This 'for' is nested too deeply", "at most a loop in a loop", 4),
        bomb("{% for a in points %}{% for b in points %}" + "{{ key_point }}" * 2_000 + "{% endfor %}{% endfor %}",
             "The text becomes larger than 256 KB", "Shorten it"),
        bomb("{{ 'a'|center(200000000) }}", "The filter 'center' is not allowed", "Known here: capitalize", 8),
        bomb("{{ 9 ** 999999999 }}", "Arithmetic is not allowed"),
        bomb("{{ 'a' * 999999999 }}", "Arithmetic is not allowed"),
        bomb("{{ '%999999999d' % 1 }}", "Arithmetic is not allowed"),
        bomb("{{ lipsum(n=100000) }}", "Calling something is not allowed"),
        bomb("{{ key_point|join(text)|join(text)|join(text) }}", _BETWEEN_LETTERS, "Write the words one by one", 14),
        bomb("{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}", "nested too deeply", "Simplify it"),
        bomb("{{ 1" + "+1" * 3_000 + " }}", "Arithmetic is not allowed"),
        bomb("![" * 20_000, "There is an image in the text", "Say it in words"),
        refused(MINE, ("message_templates/mine.md:1:4", "'for' runs over something that is not one of the lists",
                "lists here"),
                ("message_templates/mine.md:1:1", "Calling something is not allowed", ONLY_SHOWN),
                mine__md="{% for x in range(1000000000) %}x{% endfor %}"),
        refused(slip("{question: What must never get harder for you?}",
                     "{question: Which?, kind: choice, choices: [" + ", ".join(map(str, range(1_000))) + "]}"),
                ("26:45", "'choices' has too many entries", "Write at most 10")),
    )),
    BadInput(23, "unquoted attribute, link that runs code", (
        refused(PLAN, ("message_templates/layout.html:1:1", "An attribute with a value has no quotes",
                'name="{{ … }}"'),
                ("message_templates/layout.html:2:1", "The layout contains an address that runs or carries code",
                        "https only"),
                ("message_templates/layout.html:2:1", 'The address "javascript:alert(1)" is not allowed',
                        "Use {{ links.answer }}"),
                layout__html='<p class={{ title }}>{{ body }}</p>\n<a href="javascript:alert(1)">{{ footer }}</a>\n'),
        refused(slip("One list.", "'See [it](javascript:x)'"),
                ("18:27", "The link to 'javascript:x' is not https", "Write the whole address: https://…")),
        refused(slip("One list.", "'See <a href=javascript:x>it</a>'"),
                ("18:30", "The link to 'javascript:x' is not https", "Write the whole address: https://…")),
    )),
    BadInput(24, "things that wait for each other", (
        refused(PLAN.replace("kickoff: 2027-01-11", "kickoff: go_live - 7d").replace("2027-03-15", "kickoff + 7d"),
                ("6:12", "'go_live - 7d' is not a date", "Write it as YYYY-MM-DD"),
                ("7:12", "'kickoff + 7d' is not a date", "Write it as YYYY-MM-DD")),
        refused(slip("from: kickoff + 7d", "from: one-record + 7d"),
                ("30:11", "There is no milestone 'one-record'",
                        "'one-record' is a message; write a milestone or a date")),
        refused(slip("id: one-record\n", "id: one-record\n    after: how-you-work\n"),
                ("29:5", "The key 'after' is not known here", "It belongs to 'follow_up'")),
        refused(slip("id: one-record\n", "id: one-record\n    corrects: one-record\n"),
                ("29:15", "'corrects' leads from 'one-record' back to itself", "Name the earlier message")),
    )),
    BadInput(25, "words that old YAML reads as something else (text is text)", (
        taken(PLAN.replace("campaign: crm", "campaign: 0123").replace("title: One customer record", "title: no")
              .replace("key_point: Every conversation is logged in one record.", "key_point: on"),
              "no (0123), version 1", command=("apply", "plan.yaml", "--dry-run")),
    )),
    BadInput(26, "secret in the plan", (
        Attempt((("check", "plan.yaml"), ("apply", "plan.yaml", "--yes")), (
            Error("plan.yaml:2:8", "This looks like a Slack token", _SECRET),
            Error("plan.yaml:18:18", "This looks like a password in an address", _SECRET),
        ), {"plan.yaml": slip("One customer record", "xoxb-1234567890-abcdefghijkl").replace(
            "One list.", "'https://dana:hunter22@example.com/'")}, never=("abcdefghijkl", "hunter22")),
    )),
    BadInput(27, "plan of 2 MB", (
        refused(lambda: PLAN.encode() + b"# " + b"x" * 2_000_000, ("1:1", "larger than 1 MB", "the right file")),
    )),
)  # fmt: skip
