"""The house, held: every module has a floor, imports go downward only, one file each reads clock and environment."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "commsengine"

FLOORS = {
    "": 0,  # commsengine/__init__.py: the version
    "errors": 0,
    "links": 0,
    "loopback": 0,
    "text": 0,
    "translation": 0,
    "recall": 1,
    "cadence": 1,
    "spool": 2,
    "store": 2,
    "content": 2,
    "authoring": 2,
    "channels": 2,
    "resolvers": 2,
    "engine": 3,
    "answers": 3,
    "campaigns": 3,
    "reports": 3,
    "planning": 3,
    "settings": 4,
    "environment": 4,
    "wiring": 4,
    "runner": 4,
    "interpreter": 4,
    "people_feed": 4,
    "ping": 4,
    "web": 4,
    "slack_app": 4,
    "sandbox": 4,
    "cli": 4,
    "__main__": 4,
}
"""Every room and its floor. A new room gets its floor here; imports never go upward."""

NEIGHBOURS = {
    ("cadence", "recall"): None,  # a cadence by recall asks the memory model, which knows no plans
    ("authoring", "spool"): None,  # more people than should be in memory
    ("store", "spool"): None,
    ("authoring", "content"): None,  # check renders every template
    ("authoring", "channels"): ("providers", "refusal_rule"),  # what providers allow and refuse is read from YAML
    ("channels", "content"): ("message",),  # a channel carries a finished message
    ("resolvers", "channels"): None,  # a resolver asks the other side in the channel's own words
    ("answers", "engine"): None,
    ("campaigns", "engine"): None,
    ("reports", "engine"): None,
    ("reports", "campaigns"): ("known_campaign",),  # near names of a campaign
    ("planning", "engine"): ("decisions",),  # what decides for the people on record
    ("planning", "reports"): ("check_results",),  # what of a campaign's answers may be shown
}
"""The only imports between rooms of one floor, up to floor 3, and to which modules; ``None`` allows all."""

PURE = {
    "os", "io", "pathlib", "time", "random", "secrets", "uuid", "logging", "structlog", "socket", "threading",
    "subprocess", "sqlite3", "sqlalchemy", "sqlmodel", "requests", "urllib", "tempfile", "shutil",
}  # fmt: skip
"""What the pure floor must not import."""

HEAVY = {"sqlmodel", "sqlalchemy", "alembic", "slack_sdk", "slack_bolt", "starlette", "uvicorn", "holidays"}
"""What no command may import before it runs: ``--help`` must answer at once."""

LATE = {"cli.doctor.checks", "cli.doctor.mail", "cli.doctor.slack", "cli.doctor.uncertain", "cli.rehearsal_story"}
"""Files of the command line that only a running command loads."""

CLOCK = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")} | {
    ("time", name) for name in ("time", "time_ns", "localtime", "gmtime", "ctime")
}
ENVIRONMENT = {("os", name) for name in ("environ", "getenv", "environb", "putenv", "getlogin")}


@dataclass(frozen=True)
class Module:
    name: str  # dotted, without "commsengine."
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Import:
    name: str  # full dotted name
    line: int
    at_once: bool  # when the module is loaded, not inside a function or for the type checker only


@cache
def modules() -> tuple[Module, ...]:
    return tuple(_module(path) for path in sorted(HOUSE.rglob("*.py")))


def _module(path: Path) -> Module:
    parts = path.relative_to(HOUSE).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, ast.parse(path.read_text(encoding="utf-8")))


def imports(module: Module) -> Iterator[Import]:
    for node, at_once in _walk(module.tree, at_once=True):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name}:{node.lineno}: imports are absolute in this house"
            yield from (Import(f"{node.module}.{alias.name}", node.lineno, at_once) for alias in node.names)


def _walk(node: ast.AST, *, at_once: bool) -> Iterator[tuple[ast.AST, bool]]:
    yield node, at_once
    later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _for_types_only(node)
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, at_once=at_once and not later)


def _for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def reads(module: Module, wanted: set[tuple[str, str]]) -> list[str]:
    """Places where one of ``wanted`` (owner, attribute) is used or imported."""
    used = [
        f"{module.name}:{node.lineno}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and (_last_name(node.value), node.attr) in wanted
    ]
    return used + [f"{module.name}:{i.line}" for i in imports(module) if tuple(i.name.split(".")[-2:]) in wanted]


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def complaint(module: Module, imported: Import) -> str | None:
    """Why this import is forbidden, or ``None``."""
    if imported.name.split(".")[0] != "commsengine":
        return None
    room, *rest = (*imported.name.split(".")[1:], "")
    room = room if room in FLOORS else ""
    mine, other = FLOORS[module.room], FLOORS[room]
    place = f"{module.name}:{imported.line} imports {imported.name}"
    if other > mine:
        return f"{place}: upward, from floor {mine} to floor {other}"
    if 1 <= mine == other <= 3 and room != module.room:
        allowed = NEIGHBOURS.get((module.room, room), ())
        if allowed is not None and rest[0] not in allowed:
            return f"{place}: rooms of floor {mine} do not know each other"
    if room == "cli" and module.room not in ("cli", "__main__"):
        return f"{place}: nobody but __main__ needs the command line"
    if module.room == "settings" and mine == other and room != "settings":
        return f"{place}: settings know nobody of their floor"
    return None


def test_every_module_has_a_floor() -> None:
    rooms = {module.room for module in modules()}
    assert rooms - set(FLOORS) == set(), "give each new room a floor in FLOORS"


def test_imports_go_downward_only() -> None:
    assert [c for m in modules() for i in imports(m) if (c := complaint(m, i))] == []


def test_the_decision_is_pure() -> None:
    """And what it stands on, but for the links, which read web addresses."""
    pure = [module for module in modules() if FLOORS[module.room] <= 1 and module.room != "links"]
    assert [f"{m.name}:{i.line} {i.name}" for m in pure for i in imports(m) if i.name.split(".")[0] in PURE] == []


def test_one_file_reads_the_clock() -> None:
    """But for the sandbox: it plays the world outside, whose servers have clocks of their own."""
    ours = [module for module in modules() if module.name != "wiring" and module.room != "sandbox"]
    assert [place for module in ours for place in reads(module, CLOCK)] == []


def test_one_file_reads_the_environment() -> None:
    assert [place for module in modules() if module.name != "environment" for place in reads(module, ENVIRONMENT)] == []


def test_commands_load_nothing_heavy_before_they_run() -> None:
    """Not the heavy libraries; of the house only errors, texts, lists of words and the command line's own."""
    wrong = [
        f"{module.name}:{imported.line} {imported.name}"
        for module in modules()
        if module.room in ("cli", "__main__") and module.name not in LATE
        for imported in imports(module)
        if imported.at_once and _heavy(imported.name)
    ]
    assert wrong == []


def _heavy(name: str) -> bool:
    if name.startswith("commsengine.cadence.kinds_and_states."):
        return False
    first, *rest = name.split(".")
    light = {"", "errors", "text", "translation", "cli"}
    return first in HEAVY or (first == "commsengine" and bool(rest) and rest[0] in set(FLOORS) - light)


def test_no_module_has_a_name_that_says_nothing() -> None:
    nothing = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
    assert [module.name for module in modules() if module.name.rpartition(".")[2] in nothing] == []


def test_every_module_says_what_it_is_for() -> None:
    empty = {room for room, floor in FLOORS.items() if floor} | {"authoring.rules"}
    silent = [m.name for m in modules() if not ast.get_docstring(m.tree) and (m.tree.body or m.name not in empty)]
    assert silent == []


def parsed(name: str, source: str) -> Module:
    return Module(name, ast.parse(source))


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("cadence.decide", "from commsengine.store import touches"),
        ("store.touches", "from commsengine.content.message import RenderedMessage"),
        ("channels.email", "from commsengine.content.render import Renderer"),
        ("engine.engine", "import commsengine.settings"),
        ("recall.memory", "from commsengine.cadence.plan import Plan"),
        ("engine.engine", "from commsengine.reports.morning.digest import Digests"),
        ("planning.preview", "from commsengine.wiring import Wiring"),
        ("web.pages", "from commsengine.cli import main"),
        ("content.render", "def f():\n    from commsengine import wiring"),
    ],
)
def test_a_forbidden_import_is_found(room: str, source: str) -> None:
    module = parsed(room, source)
    assert [complaint(module, i) for i in imports(module)] != [None]


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("channels.email", "from commsengine.content.message import RenderedMessage"),
        ("authoring.check", "from commsengine.content.text_check import check_texts"),
        ("engine.engine", "from commsengine.store.store import Store"),
        ("store.touches", "from commsengine.errors import CommsError"),
        ("cli", "from commsengine import __version__"),
    ],
)
def test_an_allowed_import_passes(room: str, source: str) -> None:
    module = parsed(room, source)
    assert [complaint(module, i) for i in imports(module)] == [None]


@pytest.mark.parametrize(
    "source",
    [
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "from datetime import datetime\ndatetime.utcnow()",
        "from datetime import date\ndate.today()",
        "import time\ntime.time()",
        "from time import time",
    ],
)
def test_a_read_of_the_clock_is_found(source: str) -> None:
    assert reads(parsed("engine.engine", source), CLOCK) != []


def test_waiting_is_not_reading_the_clock() -> None:
    assert reads(parsed("engine.senders", "import time\ntime.monotonic()\ntime.sleep(1)"), CLOCK) == []


@pytest.mark.parametrize(
    "source", ["import os\nos.environ['X']", "import os\nos.getenv('X')", "from os import environ"]
)
def test_a_read_of_the_environment_is_found(source: str) -> None:
    assert reads(parsed("channels.slack", source), ENVIRONMENT) != []


MOST_FILES, MOST_COMMANDS = 25, 32


def test_no_folder_is_too_full_to_find_ones_way_in() -> None:
    sizes = Counter(path.parent for path in HOUSE.rglob("*.py") if path.name != "__init__.py")
    full = {
        folder.name: size
        for folder, size in sizes.items()
        if size > (MOST_COMMANDS if folder.name == "cli" else MOST_FILES)
    }
    assert full == {}


MIRRORS = {
    "phases",
    "answers",
    "apply",
    "audience",
    "check",
    "control",
    "followups",
    "migrate_database",
    "notices",
    "people",
    "population",
    "preview",
    "questions",
    "refusals",
    "rehearse",
    "slack",
    "status",
    "today",
    "touches",
    "why",
}
"""The same subject on several floors: people are a value, a table and a command."""


def test_a_file_name_stands_in_two_rooms_only_for_one_subject() -> None:
    places: dict[str, set[str]] = {}
    for path in HOUSE.rglob("*.py"):
        if path.name not in ("__init__.py", "__main__.py"):
            places.setdefault(path.stem, set()).add(path.parent.name)
    assert {name for name, rooms in places.items() if len(rooms) > 1} - MIRRORS == set()


def test_every_public_class_has_a_name_of_its_own() -> None:
    names = Counter(
        node.name
        for module in modules()
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, number in names.items() if number > 1] == []
