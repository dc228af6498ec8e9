"""The state machine is one table: closed, performed in one place each, and what the database does is what it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from commsengine.cadence.kinds_and_states import STATES
from commsengine.store import moves, tables
from commsengine.store.moves import FINAL, MOVES, RESTORED, Move
from commsengine.store.store import Store
from tests.store.scene import HOUR, NOW

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "commsengine"
CONSTANTS = {name: value for name, value in vars(moves).items() if isinstance(value, Move)}
FROM = (None, *STATES)


@cache
def others() -> dict[Path, ast.Module]:
    """Every file but that of the table and the migrations."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(HOUSE.rglob("*.py"))
        if path.name != "moves.py" and "migrations" not in path.parts
    }


# -- the table --------------------------------------------------------------------------------------------------------


def test_every_move_is_in_the_table_once_under_a_name_of_its_own() -> None:
    assert list(MOVES) == list(CONSTANTS.values())
    assert len({move.name for move in MOVES}) == len(MOVES)


def test_every_move_goes_from_a_state_to_a_state() -> None:
    assert {source for move in MOVES for source in move.sources} <= set(FROM)
    assert {move.target for move in MOVES} <= set(FROM)
    assert all(move.sources and move.who and move.when for move in MOVES)


def test_every_state_is_reached_from_nothing() -> None:
    reached: set[str | None] = {None}
    for _ in STATES:
        reached |= {move.target for move in MOVES if reached & set(move.sources)}
    assert reached == set(FROM)


def test_no_move_leaves_a_final_state_and_every_other_is_left() -> None:
    left = {source for move in MOVES for source in move.sources if move.target != source}
    assert left == set(FROM) - set(FINAL)


def test_administrators_read_the_same_table() -> None:
    page = (ROOT / "docs/states.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \*\*.*$", page, re.M) == [line(move) for move in MOVES]
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.M)) == set(STATES)


def line(move: Move) -> str:
    sources = ", ".join(source or "none" for source in move.sources)
    return f"| **{move.name}** | {sources} | {move.target or 'none'} | {move.who} | {move.when} |"


# -- who performs it --------------------------------------------------------------------------------------------------


def written(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Where a statement is made that writes a table, and the words that name the table."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("update", "delete", "insert") and node.args:
            yield from ((node.lineno, ast.unparse(each)) for each in node.args)
        if name in ("update", "delete", "insert") and isinstance(node.func, ast.Attribute):
            yield node.lineno, ast.unparse(node.func.value)


def listed(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """What stands bare in a list or a tuple: a loop over it could write any of these tables."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            yield from ((node.lineno, ast.unparse(each)) for each in node.elts)


def is_touch(words: str) -> bool:
    return words in ("touch", "tables.touch", "TouchTable", "tables.TouchTable")


def test_nobody_else_writes_the_table_of_touches() -> None:
    storing = {path: tree for path, tree in others().items() if "store" in path.parts}  # elsewhere a touch is a value
    found = [
        f"{path.name}:{n} {words}" for path, tree in others().items() for n, words in written(tree) if is_touch(words)
    ]
    found += [
        f"{path.name}:{n} {words}" for path, tree in storing.items() for n, words in listed(tree) if is_touch(words)
    ]
    assert found == []
    sql = re.compile(r"(update|insert\s+into|delete\s+from|replace\s+into)\s+touch\b", re.I)
    assert [path.name for path in others() if sql.search(path.read_text(encoding="utf-8"))] == []


def test_these_eyes_see_every_way_to_write_it() -> None:
    ways = (
        "update(touch)", "delete(tables.touch).where(x)", "touch.insert()", "tables.touch.update().values(state='x')",
        "insert(connection, touch)", "for table in (person, touch): connection.execute(update(table))",
    )  # fmt: skip
    for way in ways:
        tree = ast.parse(way)
        assert any(is_touch(words) for _, words in (*written(tree), *listed(tree))), way


def places(tree: ast.Module, name: str) -> list[int]:
    """The functions, or statements outside of functions, that mention a move, each by its line."""
    return [line for line, mentioned in _mentions(tree) if name in mentioned]


@cache
def _mentions(tree: ast.Module) -> list[tuple[int, set[str]]]:
    """Each place with the moves that it mentions."""
    return [
        (body.lineno, {node.attr for node in ast.walk(body) if isinstance(node, ast.Attribute) and _of_table(node)})
        for body in _places(tree)
    ]


def _places(node: ast.Module | ast.ClassDef) -> Iterator[ast.stmt]:
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            yield from _places(child)
        else:
            yield child


def _of_table(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "moves"


@pytest.mark.parametrize("name", CONSTANTS)
def test_each_move_is_performed_in_one_place(name: str) -> None:
    found = [f"{path.name}:{number}" for path, tree in others().items() for number in places(tree, name)]
    assert len(found) == 1, found


def test_moves_are_named_through_their_table() -> None:
    """Else the place that performs one could hide."""
    imported = [
        f"{path.name}: {alias.name}"
        for path, tree in others().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == moves.__name__
        for alias in node.names
    ]
    assert imported == []


# -- what the database does -------------------------------------------------------------------------------------------


def a_row(state: str, key: str = "k", **changes: Any) -> dict[str, Any]:
    times = {"due_at": NOW, "created_at": NOW, "lease_until": NOW + HOUR}
    numbers = {"number": 1, "version": 1, "epoch": 1, "facts_seq": 1, "fence": 1, "attempts": 0, "uncertainties": 0}
    words = {"kind": "message", "campaign": "crm", "message": "m", "role": "", "channel": "email", "remote_id": ""}
    rest = {"owner": "e1", "reason": "", "possible_duplicate": False, "held": False}
    return {"key": key, "state": state, **times, **numbers, **words, **rest, **changes}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("moves") / "moves.db"
    with Store.create(f"sqlite:///{path}", durable=False) as store:
        yield store


def after(store: Store, statement: Any, *rows: dict[str, Any]) -> list[tuple[str, str]]:
    """(owner, state) of what there is after these rows were there and the statement was executed."""
    touch = tables.touch
    with store.database.write() as connection:
        connection.execute(touch.delete())
        if rows:
            connection.execute(touch.insert(), list(rows))
        changed = connection.execute(statement(connection))
        assert changed.rowcount == len(rows) or changed.rowcount in (0, 1)
        return [(row.owner, row.state) for row in connection.execute(select(touch).order_by(touch.c.key))]


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.name)
def test_a_move_changes_a_row_if_it_is_in_one_of_its_sources_and_no_other(store: Store, move: Move) -> None:
    def performed(connection: object) -> Any:
        del connection
        return moves.removing(move) if move.target is None else moves.moving(move).values(owner="moved")

    assert after(store, performed) == []
    for state in STATES:
        stays = [("e1", state)]
        moved = [] if move.target is None else [("moved", move.target)]
        assert after(store, performed, a_row(state)) == (moved if state in move.sources else stays), state


BORN = [move for move in MOVES if None in move.sources]


@pytest.mark.parametrize("move", BORN, ids=lambda move: move.name)
def test_a_row_is_born_where_there_is_none_and_takes_over_what_waits_only_if_the_move_may(
    store: Store, move: Move
) -> None:
    taken_over = ("state", "owner") if "retry" in move.sources else ()
    new = a_row(str(move.target), owner="moved")

    def performed(connection: Any) -> Any:
        return moves.bearing(connection, taken_over).values(new)

    assert after(store, performed) == [("moved", move.target)]
    for state in STATES:
        changed = state in move.sources
        assert after(store, performed, a_row(state)) == [("moved", move.target) if changed else ("e1", state)], state


@pytest.mark.parametrize("state", RESTORED)
def test_the_repair_of_a_restored_database_leaves_alone_what_is_final(store: Store, state: str) -> None:
    def performed(connection: Any) -> Any:
        return moves.reborn(connection).values(a_row(state, owner="repaired"))

    assert after(store, performed) == [("repaired", state)]
    for known in STATES:
        stays = known in FINAL
        assert after(store, performed, a_row(known)) == [("e1", known) if stays else ("repaired", state)], known


def test_erasing_blanks_what_is_personal_and_moves_nothing(store: Store) -> None:
    rows = [a_row(state, key=state, remote_id="q1", payload={"to": "ana"}, owner=state) for state in STATES]
    assert after(store, lambda connection: moves.blanking(), *rows) == sorted(zip(STATES, STATES, strict=True))
    with store.database.read() as connection:
        blank = select(tables.touch.c.remote_id, tables.touch.c.payload).distinct()
        assert connection.execute(blank).all() == [("", None)]
