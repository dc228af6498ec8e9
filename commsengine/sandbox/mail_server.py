"""A mail server for trying things out: it takes any mail, keeps it in memory, and says how many came.

python -m commsengine.sandbox.mail_server --bind 0.0.0.0:2525
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from commsengine.sandbox.mailbox import Mailbox

SAYS_EVERY = 1.0  # seconds


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--bind", default="127.0.0.1:2525", metavar="HOST:PORT")
    host, _, port = wanted.parse_args().bind.rpartition(":")
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, lambda *_: over.set())
    with Mailbox(host, int(port)) as mailbox:
        seen = -1
        while not over.wait(0.0 if seen < 0 else SAYS_EVERY):
            if len(mailbox.arrived) != seen:
                seen = len(mailbox.arrived)
                sys.stdout.write(f"{mailbox.url} has taken {seen:,} messages\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
