"""One command for every long run under fault: python -m benchmarks.faults RUN [--seed 1] …; --help lists the runs."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks.faults import kills, lines, machines, pauses, providers, restores, slack_kills, syscalls

RUNS = {
    "kills": kills,
    "slack-kills": slack_kills,
    "syscalls": syscalls,
    "pauses": pauses,
    "restores": restores,
    "lines": lines,
    "providers": providers,
    "machines": machines,
}


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # what was started is ended too
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the workspaces, logs and databases; kept afterwards")
    runs = parser.add_subparsers(dest="run", required=True)
    for name, run in RUNS.items():
        options = runs.add_parser(name, help=(run.__doc__ or "").partition("\n")[0])
        options.add_argument("--seed", type=int, default=argparse.SUPPRESS)
        run.add_options(options)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        report = RUNS[asked.run].run(asked, folder)
    print(report.table())
    return report.status


if __name__ == "__main__":
    sys.exit(main())
