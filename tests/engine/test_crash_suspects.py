"""The message that kills its engine: processes that really die while they write it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.engine.crash_suspects import Suspects
from commsengine.engine.engine import Engine
from commsengine.engine.owner_lock import Owner
from commsengine.engine.state_folder import StateFolder
from commsengine.errors import CommsError
from commsengine.store.store import Store
from tests.engine.test_startup import NOBODY, claimed_by
from tests.fakes import Clock, Mailbag, Scribe, a_channel
from tests.stories.program import HERE
from tests.waiting import PATIENCE

DIES = """
import os, sys
from pathlib import Path
from commsengine.engine.crash_suspects import Suspects
suspects = Suspects(Path(sys.argv[1]))
suspects.poison()
for key in sys.argv[2:]:
    with suspects.writing(key):
        if key == "poison":
            os.kill(os.getpid(), 9)
"""


def die(folder: Path, *keys: str) -> None:
    done = subprocess.run([sys.executable, "-c", DIES, str(folder), *keys], check=False, env={"PYTHONPATH": HERE})
    assert done.returncode == -9


def test_the_third_death_names_it_and_nobody_else(tmp_path: Path) -> None:
    for deaths in range(3):
        assert Suspects(tmp_path).poison() == frozenset(), deaths
        die(tmp_path, "fine", "poison", "never reached")
    assert Suspects(tmp_path).poison() == {"poison"}


def test_whoever_claims_it_later_does_not_write_it_either(tmp_path: Path) -> None:
    (tmp_path / "suspects.json").write_text(json.dumps({"poison": 3}))
    with pytest.raises(CommsError, match="crashed three times"), Suspects(tmp_path).writing("poison"):
        pytest.fail("it is written")


@pytest.mark.slow
def test_what_is_written_after_all_is_no_suspect_any_more(tmp_path: Path) -> None:
    die(tmp_path, "poison")
    die(tmp_path, "poison")
    suspects = Suspects(tmp_path)
    suspects.poison()
    with suspects.writing("poison"):
        pass
    die(tmp_path, "poison")
    assert Suspects(tmp_path).poison() == frozenset()


def test_an_orderly_end_leaves_no_suspect(tmp_path: Path) -> None:
    suspects = Suspects(tmp_path)
    with suspects.writing("k1"):
        pass
    suspects.close()
    assert Suspects(tmp_path).poison() == frozenset()
    assert not (tmp_path / "suspects.json").exists()


def test_suspects_are_written_one_at_a_time_and_others_meanwhile(tmp_path: Path) -> None:
    suspects = Suspects(tmp_path)
    suspects._deaths = {"a": 1, "b": 1}
    inside = threading.Event()

    def second() -> None:
        with suspects.writing("b"):
            inside.set()

    with suspects.writing("a"):
        thread = threading.Thread(target=second)
        thread.start()
        with suspects.writing("innocent"):
            assert not inside.wait(0.1)
    assert inside.wait(PATIENCE)
    thread.join()


def test_counts_that_cannot_be_read_are_no_counts(tmp_path: Path) -> None:
    (tmp_path / "suspects.json").write_text("not json")
    assert Suspects(tmp_path).poison() == frozenset()


def test_an_engine_that_starts_fails_the_poison_alone_and_sends_to_the_others(
    store: Store, clock: Clock, bag: Mailbag, tmp_path: Path
) -> None:
    dead = replace(NOBODY, host=Owner.this_process().host)
    poison, *others = claimed_by(store, dead, 3, clock.now)
    folder = StateFolder(tmp_path, store.engine.database_id())
    (folder.folder / "suspects.json").write_text(json.dumps({poison: 3}))
    folder.close()
    engine = Engine(
        store, {"email": a_channel(bag)}, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep,
        state=lambda database: StateFolder(tmp_path, database),
    )  # fmt: skip
    with engine:
        engine.tick()
    rows = {row.key: (row.state, row.reason) for row in store.touches.list("crm")}
    assert rows[poison] == ("failed", "poison: the engine crashed three times while it wrote this message")
    assert {rows[key] for key in others} == {("sent", "")}
    assert len(bag.arrived) == 2
