"""A restored or copied database believes that recent messages were never sent; the state folder knows better."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.channels.channel import RETRY, UNCERTAIN, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.engine import Engine
from commsengine.engine.state_folder import StateFolder
from commsengine.errors import DiskError
from commsengine.store.copies.sqlite_copies import copy_to
from commsengine.store.store import Store
from tests.builders import someone, utc
from tests.engine.conftest import run
from tests.fakes import Clock, Mailbag, Scribe, Script, a_channel, arrives

PEOPLE = 4

pytestmark = pytest.mark.sqlite("copies of files are put in the place of others")


@contextmanager
def opened(
    store: Store, root: Path, clock: Clock, bag: Mailbag, script: Script = arrives, *,
    before_mark: Callable[[RenderedMessage], None] = arrives,
) -> Iterator[Engine]:  # fmt: skip
    channels = {"email": a_channel(bag, script, before_mark=before_mark)}
    engine = Engine(
        store, channels, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0,
        state=lambda database: StateFolder(root, database),
    )  # fmt: skip
    with engine:
        yield engine


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "state"


def file_of(store: Store) -> Path:
    assert store.path is not None
    return store.path


def snapshot(store: Store, path: Path) -> Path:
    """The database as it is, as a backup program takes it."""
    copy_to(store.database, path)
    return path


@contextmanager
def restored(store: Store, copy: Path) -> Iterator[Store]:
    """The database file replaced by an older copy of it."""
    path = file_of(store)
    store.close()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(copy, path)
    with Store.open(f"sqlite:///{path}") as again:
        yield again


def test_g4_nothing_is_sent_again_after_a_restore(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    run(store, [someone(n) for n in range(PEOPLE)])
    before = snapshot(store, tmp_path / "backup.db")
    with opened(store, root, clock, bag) as engine:
        engine.tick()
    assert len(bag.arrived) == PEOPLE
    with restored(store, before) as again:
        with opened(again, root, clock, bag) as engine:
            assert engine.tick().hold == (
                "The database looks restored: 4 messages that it did not know of had left; they are on record again."
            )
        assert {(row.state, row.reason) for row in again.touches.list("crm")} == {("sent", "restored")}
        again.engine.release("latest", by="dana", now=clock.now)
        with opened(again, root, clock, bag) as engine:
            assert engine.tick().hold == ""
    assert len(bag.arrived) == PEOPLE


def test_a_snapshot_taken_while_mail_was_leaving_is_told_apart_too(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    run(store, [someone(n) for n in range(PEOPLE)])
    half = tmp_path / "half.db"

    def after_the_second(message: object) -> None:
        del message
        if len(bag.tried) == 2:
            snapshot(store, half)

    with opened(store, root, clock, bag, after_the_second) as engine:
        engine.tick()
    with restored(store, half) as again, opened(again, root, clock, bag) as engine:
        assert "looks restored" in engine.tick().hold
        again.engine.release("all", by="dana", now=clock.now)
        engine.tick()
    assert bag.to == [someone(n).email for n in range(PEOPLE)]


def test_what_was_uncertain_before_the_restore_is_uncertain_after_it(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    run(store, [someone(0)])
    before = snapshot(store, tmp_path / "backup.db")
    with opened(store, root, clock, bag, lambda m: Outcome(m.key, UNCERTAIN, "reply", "silence")) as engine:
        engine.beat()
        while not store.recovery.unsettled():
            pass
    with restored(store, before) as again, opened(again, root, clock, bag) as engine:
        engine.tick()
        [row] = again.touches.list("crm")
        assert (row.state, row.possible_duplicate, row.attempts) == ("retry", True, 1)


def test_what_was_to_be_tried_again_before_the_restore_is_tried_again_after_it(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    run(store, [someone(n) for n in range(PEOPLE)])
    before = snapshot(store, tmp_path / "backup.db")
    with opened(store, root, clock, bag, lambda m: Outcome(m.key, RETRY, "rcpt", "451 later")) as engine:
        engine.tick()
    assert {row.state for row in store.touches.list("crm")} == {"retry"}
    bag.arrived.clear()
    with restored(store, before) as again, opened(again, root, clock, bag) as engine:
        assert "looks restored" in engine.tick().hold
        again.engine.release("all", by="dana", now=clock.now)
        engine.tick()
        assert [(row.state, row.attempts, row.possible_duplicate) for row in again.touches.list("crm")] == [
            ("sent", 2, False)
        ] * PEOPLE


def test_a_restart_or_a_crash_is_no_restore(store: Store, clock: Clock, bag: Mailbag, root: Path) -> None:
    run(store, [someone(n) for n in range(PEOPLE)])
    for _ in range(3):
        with opened(store, root, clock, bag) as engine:
            assert engine.tick().hold == ""
        clock.forward(minutes=1)
    assert len(bag.arrived) == PEOPLE


def test_a_database_without_its_last_beats_holds_even_if_nothing_had_left(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    with opened(store, root, clock, bag) as engine:
        engine.tick()
        before = snapshot(store, tmp_path / "backup.db")
        clock.forward(hours=1)
        engine.tick()
    with restored(store, before) as again, opened(again, root, clock, bag) as engine:
        assert engine.tick().hold == (
            "The database looks restored: it was sent from until 2027-01-11 10:00 UTC and does not know."
        )


def test_a_copy_beside_its_original_holds_and_becomes_another_database(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    run(store, [someone(n) for n in range(PEOPLE)])
    with opened(store, root, clock, bag) as engine:
        engine.tick()
    copy = snapshot(store, tmp_path / "copy.db")
    with Store.open(f"sqlite:///{copy}") as second:
        with opened(second, root, clock, bag) as engine:
            hold = engine.tick().hold
            assert hold == f"The database looks like a copy: {file_of(store)}, which it was made from, is still there."
        assert second.engine.database_id() != store.engine.database_id()
        second.engine.release("all", by="dana", now=clock.now)
        with opened(second, root, clock, bag) as engine:
            assert engine.tick().hold == ""
    with opened(store, root, clock, bag) as engine:
        assert engine.tick().hold == ""
    assert len(bag.arrived) == PEOPLE


def test_a_backup_from_before_a_copy_got_its_own_name_does_not_send_again(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    """The backup asks the journal of the name it bears, and the journal of what lies in its place."""
    run(store, [someone(n) for n in range(PEOPLE)])
    with opened(store, root, clock, bag) as engine:
        engine.tick()
    copy = snapshot(store, tmp_path / "copy.db")
    older = snapshot(store, tmp_path / "older.db")
    with Store.open(f"sqlite:///{copy}") as second:
        with opened(second, root, clock, bag) as engine:
            engine.tick()
        second.engine.release("all", by="dana", now=clock.now)
        second.people.save([someone(9)], by="dana", now=utc("2027-01-05"))
        with opened(second, root, clock, bag) as engine:
            engine.tick()
        assert len(bag.arrived) == PEOPLE + 1
        with restored(second, older) as again:
            again.people.save([someone(9)], by="dana", now=utc("2027-01-05"))
            for _ in range(2):
                with opened(again, root, clock, bag) as engine:
                    engine.tick()
                again.engine.release("all", by="dana", now=clock.now)
            with opened(again, root, clock, bag) as engine:
                engine.tick()
    assert len(bag.arrived) == PEOPLE + 1


def test_another_name_of_the_same_file_is_no_copy(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    with opened(store, root, clock, bag) as engine:
        engine.tick()
    link = tmp_path / "link.db"
    link.symlink_to(file_of(store))
    with Store.open(f"sqlite:///{link}") as again, opened(again, root, clock, bag) as engine:
        assert engine.tick().hold == ""


def test_a_journal_that_is_gone_holds(store: Store, clock: Clock, bag: Mailbag, root: Path) -> None:
    run(store, [someone(n) for n in range(PEOPLE)])
    with opened(store, root, clock, bag) as engine:
        engine.tick()
    shutil.rmtree(root / store.engine.database_id())
    with opened(store, root, clock, bag) as engine:
        assert engine.tick().hold.startswith("The journal of this database is gone")
    store.engine.release("all", by="dana", now=clock.now)
    with opened(store, root, clock, bag) as engine:
        assert engine.tick().hold == ""


def test_a_database_from_before_a_decree_holds(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    run(store, [someone(n) for n in range(PEOPLE)])
    with opened(store, root, clock, bag) as engine:
        engine.tick()
        before = snapshot(store, tmp_path / "before.db")
        store.campaigns.cancel("crm", by="dana", now=clock.now)
        clock.forward(minutes=1)
        engine.tick()
    with restored(store, before) as again, opened(again, root, clock, bag) as engine:
        assert "looks restored" in engine.tick().hold


def test_a_database_that_moved_goes_on(store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path) -> None:
    with opened(store, root, clock, bag) as engine:
        engine.tick()
    store.close()
    moved = shutil.move(file_of(store), tmp_path / "elsewhere.db")
    with Store.open(f"sqlite:///{moved}") as again, opened(again, root, clock, bag) as engine:
        assert engine.tick().hold == ""


def test_f30_a_copy_on_another_machine_holds(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    with opened(store, root, clock, bag) as engine:
        engine.tick()
    with opened(store, tmp_path / "another machine", clock, bag) as engine:
        assert engine.tick().hold.startswith("The database looks like a copy: it was last sent from another machine")


def test_a_state_folder_copied_to_another_machine_is_another_place(tmp_path: Path) -> None:
    here = StateFolder(tmp_path, "d").place
    assert StateFolder(tmp_path, "d").place == here
    text = (tmp_path / "place.json").read_text()
    (tmp_path / "place.json").write_text(text.replace('"machine": "', '"machine": "f'))
    assert StateFolder(tmp_path, "d").place != here


def test_people_whom_the_old_database_does_not_know_are_counted(
    store: Store, clock: Clock, bag: Mailbag, root: Path, tmp_path: Path
) -> None:
    run(store, [someone(0)])
    before = snapshot(store, tmp_path / "backup.db")
    store.people.save([someone(1)], by="dana", now=utc("2027-01-05"))
    with opened(store, root, clock, bag) as engine:
        engine.tick()
    with restored(store, before) as again, opened(again, root, clock, bag) as engine:
        assert engine.tick().hold == (
            "The database looks restored: 2 messages that it did not know of had left; they are on record again. "
            "Of 1 it does not even know the person: import the people again."
        )
        again.engine.release("all", by="dana", now=clock.now)
        engine.tick()
        again.people.save([someone(1)], by="dana", now=utc("2027-01-05"))
        engine.tick()
        assert {row.person_id for row in again.touches.list("crm")} == {"p00000", "p00001"}
        assert again.loading.next_wake() != clock.now
    assert len(bag.arrived) == 2
    with Store.open(f"sqlite:///{tmp_path}/engine.db") as again, opened(again, root, clock, bag) as engine:
        assert engine.tick().hold == ""


def test_f26_where_the_journal_cannot_be_written_nothing_leaves_and_it_goes_on_by_itself(
    store: Store, clock: Clock, bag: Mailbag, root: Path
) -> None:
    run(store, [someone(n) for n in range(PEOPLE)])
    with opened(store, root, clock, bag) as engine:
        page = root / store.engine.database_id() / f"sent-{clock.now:%Y-%m}.jsonl"
        page.mkdir()
        with pytest.raises(DiskError, match=r"sent-journal .* cannot be written"):
            engine.tick()
        assert (bag.tried, list(store.touches.list("crm"))) == ([], [])
        page.rmdir()
        engine.tick()
    assert len(bag.arrived) == PEOPLE


def test_f26_a_journal_that_fails_between_claim_and_mark_keeps_the_message_here(
    store: Store, clock: Clock, bag: Mailbag, root: Path
) -> None:
    run(store, [someone(0)])
    page = root / store.engine.database_id() / f"sent-{clock.now:%Y-%m}.jsonl"

    def fill() -> None:
        engine._state.journal.close()  # type: ignore[union-attr]
        page.rename(page.with_suffix(".kept"))
        page.mkdir()

    with opened(store, root, clock, bag, before_mark=lambda _: fill() if not page.is_dir() else None) as engine:
        with pytest.raises(DiskError):
            engine.tick()
        assert bag.tried == []
        page.rmdir()
        page.with_suffix(".kept").rename(page)
    with opened(store, root, clock, bag) as engine:
        assert engine.tick().hold == ""
    assert len(bag.arrived) == 1


def test_a_state_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match=r"cannot be written: .*COMMSENGINE_STATE_DIR"):
        StateFolder(tmp_path / "file", "d")
