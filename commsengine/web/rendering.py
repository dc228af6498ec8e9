"""The pages' templates: escaped always, strict about names, and answered with the status they deserve."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from commsengine.content.phrases import install_words
from commsengine.translation import N_, _

FOLDER = Path(__file__).parent / "pages"

_environment = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
install_words(_environment)

NOTICES = {
    400: (N_("We could not read this"), (N_("Go back and send the form again."),)),
    404: (
        N_("This link does not work"),
        (
            N_("It may be too old, or a part of it is missing."),
            N_("Open your newest message, or ask the person who sent it."),
        ),
    ),
    405: (N_("That is not possible here"), (N_("Open the link from your message again."),)),
    410: (
        N_("This link is closed"),
        (
            N_("It records nothing any more. We close links when somebody leaves, or when somebody asks us to."),
            N_("If you still work here, open your newest message."),
        ),
    ),
    413: (N_("That is too long"), (N_("Go back and use fewer words."),)),
    429: (
        N_("One moment, please"),
        (N_("This link was used too often. Try again in a minute; nothing is lost."),),
    ),
    500: (
        N_("Something went wrong on our side"),
        (N_("Please open your link again in a moment. It shows what is recorded."),),
    ),
}


reviewing = ContextVar("reviewing", default=False)
"""Whether pages say that they are a review copy."""


def page(name: str, *, status: int = 200, root: str = "../", **context: Any) -> HTMLResponse:
    """In the language in use; ``root`` is the relative way to the stylesheet."""
    html = _environment.get_template(name).render(root=root, review_copy=reviewing.get(), **context)
    return HTMLResponse(html.lstrip(), status)


def notice(status: int, *, root: str = "../") -> HTMLResponse:
    # It gives nothing away about why a link was refused.
    heading, lines = NOTICES.get(status, NOTICES[500])
    return page("notice.html", status=status, root=root, heading=_(heading), lines=[_(line) for line in lines])
