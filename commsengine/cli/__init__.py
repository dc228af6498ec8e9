"""The command line. ``main`` runs one command and turns whatever goes wrong into one clear text and an exit status."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

import click

from commsengine.cli.commands import commsengine, translated
from commsengine.cli.logs import unfailing_stderr
from commsengine.cli.terminal_safety import written_out
from commsengine.errors import CommsError, InputError
from commsengine.translation import _

INTERRUPTED = 130

PRIVATE = 0o077
"""What the program writes is for its own account; who is to see more of it says so by chmod."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit status: 0 done, 1 failed, 2 bad input, 3 still open."""
    from commsengine.garbage_collection import THRESHOLDS

    os.umask(PRIVATE)
    unfailing_stderr()
    gc.set_threshold(*THRESHOLDS)  # a command loads much that stays: collections took an eighth of its start
    sys.exit(exit_status_of(arguments))


def exit_status_of(arguments: Sequence[str] | None = None) -> int:
    status = 0
    try:
        status = translated(commsengine).main(args=arguments, prog_name="commsengine", standalone_mode=False) or 0
    except click.exceptions.Exit as left:
        status = left.exit_code
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(_("Stopped; nothing more was done."), err=True)
        status = INTERRUPTED
    except CommsError as error:
        click.echo(written_out(str(error)), err=True)
        status = error.exit_status
    except PermissionError as error:
        status = _no_right(error) if error.filename else _our_defect(error)
    except BrokenPipeError:
        sys.stderr.close()  # our reader has gone (``| head``): nothing is wrong, and Python must not complain at exit
    except Exception as error:
        status = _our_defect(error)
    return status


def _no_right(error: PermissionError) -> int:
    cause = _("{file}: this account may not use it ({reason}).", file=error.filename, reason=error.strerror)
    fix = _("Run the command as the account it belongs to, or give this one the right.")
    click.echo(f"{cause} {fix}", err=True)
    return InputError.exit_status


def _our_defect(error: Exception) -> int:
    # One line; the traceback is for those who ask for it.
    from commsengine.environment import debugging

    if debugging():
        raise error
    text = _(
        "commsengine stopped on a defect of its own ({error}). Set COMMSENGINE_DEBUG=1 and run it again to see where; "
        "please report what it prints.",
        error=type(error).__name__,
    )
    click.echo(text, err=True)
    return 1
