"""The command line. ``main`` runs one command and turns whatever goes wrong into one clear text and an exit status."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence

import click

from commsengine.cli.commands import commsengine, translated
from commsengine.cli.logs import unfailing_stderr
from commsengine.cli.terminal_safety import with_look_alikes, written_out
from commsengine.errors import CommsError, InputError
from commsengine.translation import N_, _

INTERRUPTED = 130

PRIVATE = 0o077
"""What the program writes is for its own account; who is to see more of it says so by chmod."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit status: 0 done, 1 failed, 2 bad input, 3 still open."""
    from commsengine.interpreter import THRESHOLDS

    os.umask(PRIVATE)
    unfailing_stderr()
    if sys.stdout is not None:
        with_look_alikes(sys.stdout)  # help is shown before a command guards it
    gc.set_threshold(*THRESHOLDS)  # a command loads much that stays: collections took an eighth of its start
    status = exit_status_of(arguments)
    _let_go_of_stdout()
    sys.exit(status)


def _let_go_of_stdout() -> None:
    # What could not be written was told; Python would try it again at exit, and complain.
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ValueError:  # it is closed
        pass


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
    except BrokenPipeError:
        sys.stderr.close()  # our reader has gone (``| head``): nothing is wrong, and Python must not complain at exit
    except (OSError, UnicodeError, MemoryError) as error:
        status = _of_surroundings(error)
    except Exception as error:
        status = _our_defect(error)
    return status


NO_RIGHT = (errno.EACCES, errno.EPERM)
REMEDIES = {
    errno.EACCES: N_("Run the command as the account it belongs to, or give this one the right."),
    errno.EPERM: N_("Run the command as the account it belongs to, or give this one the right."),
    errno.ENOSPC: N_("Make room on that disk, then run it again."),
    errno.EDQUOT: N_("Make room on that disk, then run it again."),
    errno.EROFS: N_("That disk is read-only: name a place on another one."),
    errno.EMFILE: N_("Let this account open more files at once (ulimit -n)."),
    errno.ENOENT: N_("Check the path."),
    errno.ENAMETOOLONG: N_("Write a shorter name."),
}
"""By the number of an ``OSError``."""


def _of_surroundings(error: OSError | UnicodeError | MemoryError) -> int:
    # No fault of ours, and not foreseen where it came up; the traceback is for those who ask for it.
    from commsengine.environment import debugging

    if debugging():
        raise error
    click.echo(written_out(" ".join(_cause_and_remedy(error)).strip()), err=True)
    refused = isinstance(error, OSError) and error.errno in NO_RIGHT
    return InputError.exit_status if refused else CommsError.exit_status


def _cause_and_remedy(error: OSError | UnicodeError | MemoryError) -> tuple[str, str]:
    if isinstance(error, MemoryError):
        return _("This machine has not enough memory for it."), ""
    if isinstance(error, UnicodeError):
        return _("A name or a file contains bytes that are not text ({why}).", why=error), _("Save it as UTF-8.")
    reason, remedy = error.strerror or type(error).__name__, _(REMEDIES.get(error.errno or 0, ""))
    if error.filename is None:
        return _("Reading or writing failed: {reason}.", reason=reason), remedy
    if error.errno in NO_RIGHT:
        return _("{file}: this account may not use it ({reason}).", file=error.filename, reason=reason), remedy
    return _("{file}: {reason}.", file=error.filename, reason=reason), remedy


def _our_defect(error: Exception) -> int:
    # One line; the traceback is for those who ask for it.
    from commsengine.environment import debugging

    if debugging():
        raise error
    text = _(
        "commsengine stopped because of a defect in it ({error}). Set COMMSENGINE_DEBUG=1 and run it again "
        "to see where; please report what it prints.",
        error=type(error).__name__,
    )
    click.echo(text, err=True)
    return 1
