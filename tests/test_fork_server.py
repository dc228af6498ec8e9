"""A process of the fork server is like one that is started the long way."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.fork_server import python
from tests.waiting import PATIENCE

SAYS = """
import os, sys
print(os.getcwd(), os.environ.get("HERE"), os.environ.get("HOME"), sys.argv, os.getppid(), sys.stdin.read(), __name__)
print("trouble", file=sys.stderr)
sys.exit(3)
"""


def test_it_is_set_up_as_asked_and_ours(tmp_path: Path) -> None:
    said = []
    for fresh in (True, False):
        process = python(
            ["-c", SAYS, "a b"],
            fresh=fresh,
            cwd=tmp_path,
            env={"HERE": "1"},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = process.communicate("words", timeout=PATIENCE)
        said.append((process.returncode, out, err))
    assert said[0] == said[1]
    assert (said[0][0], said[0][2]) == (3, "trouble\n")


@pytest.mark.parametrize("fresh", [True, False])
def test_a_signal_ends_it(fresh: bool) -> None:
    with python(["-c", "import time; print(flush=True); time.sleep(600)"], fresh=fresh, stdout=subprocess.PIPE) as it:
        assert it.stdout
        it.stdout.readline()
        assert it.poll() is None
        it.kill()
        assert it.wait(PATIENCE) == -signal.SIGKILL


@pytest.mark.parametrize("fresh", [True, False])
def test_a_module_is_run_as_the_program(fresh: bool) -> None:
    with python(["-m", "commsengine", "--version"], fresh=fresh, stdout=subprocess.PIPE, text=True) as process:
        out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out.split()[0]) == (0, "commsengine")
