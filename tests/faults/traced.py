"""The program, one of whose threads waits for strace to take hold of it: python -m tests.faults.traced THREAD WORD…

Each thread is traced alone, for only so can its n-th system call be named. ``tids`` in the current folder says which
thread has which number, one ``tid name`` a line, as they start.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

PR_SET_PTRACER, ANYBODY = 0x59616D61, ctypes.c_ulong(-1)
TIDS = Path(os.environ.get("TRACED_TIDS", "tids"))


def tracer(tid: int) -> int:
    """The process that traces this thread; 0 if none does."""
    status = Path(f"/proc/self/task/{tid}/status").read_text(encoding="utf-8")
    found = re.search(r"TracerPid:\s+(\d+)", status)
    return int(found[1]) if found else 0


def tell_and_wait(wanted: str) -> None:
    """Called in a thread before it does anything."""
    name, tid = threading.current_thread().name, threading.get_native_id()
    with TIDS.open("a", encoding="utf-8") as tids:
        tids.write(f"{tid} {name}\n")
    while name == wanted and not tracer(tid):
        time.sleep(0.001)


def main() -> None:
    from commsengine.cli import main as program  # noqa: PLC0415 - its own imports are done before anybody is traced

    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY)  # else some kernels let only a parent trace
    wanted = sys.argv[1]

    def hook(frame: object, event: str, argument: Any) -> None:
        sys.setprofile(None)  # the first event of a thread is enough
        tell_and_wait(wanted)

    threading.setprofile(hook)  # every thread that starts from now on calls it
    tell_and_wait(wanted)
    sys.argv[1:] = sys.argv[2:]
    program()


if __name__ == "__main__":
    main()
