"""The command line. ``main`` runs one command and turns whatever goes wrong into one clear text and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from commsengine.cli.house import commsengine
from commsengine.errors import CommsError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit status: 0 done, 1 failed, 2 bad input, 3 still open."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        status = commsengine.main(args=arguments, prog_name="commsengine", standalone_mode=False)
    except click.exceptions.Exit as left:
        return left.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped; nothing more was done.", err=True)
        return INTERRUPTED
    except CommsError as error:
        click.echo(str(error), err=True)
        return error.exit_status
    except BrokenPipeError:
        # The reader of our output has gone (``| head``): nothing is wrong. Python would complain at exit, so be quiet.
        sys.stderr.close()
        return 0
    except Exception as error:
        return _our_defect(error)
    return status if isinstance(status, int) else 0


def _our_defect(error: Exception) -> int:
    from commsengine.settings import debugging

    if debugging():
        raise error
    what = type(error).__name__
    click.echo(
        f"commsengine stopped on a defect of its own ({what}). "
        "Set COMMSENGINE_DEBUG=1 and run it again to see where; please report what it prints.",
        err=True,
    )
    return 1
