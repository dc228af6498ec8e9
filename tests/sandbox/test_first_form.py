from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from commsengine.sandbox.rehearsal_people import first_form, open_page, send
from commsengine.sandbox.sandbox import Serving

PAGE = """<html><body><p>Hello</p>
<form method="post" action="?kind=first"><input type="hidden" name="do" value="check">
<input type="radio" name="choice" value="a"><input type="radio" name="choice" value="b">
<textarea name="words"></textarea><button>Send</button></form>
<form method="post" action="/other"><input name="do" value="other"></form></body></html>"""


async def _page(request: Request) -> HTMLResponse:
    if request.method == "GET":
        return HTMLResponse(PAGE if request.url.path == "/" else "<p>nothing to fill in</p>")
    form = await request.form()
    return HTMLResponse(f"{request.query_params['kind']}: {sorted(form.items())}")


def test_only_the_first_form_of_a_page_is_filled_in_and_sent() -> None:
    everything = Route("/{path:path}", _page, methods=["GET", "POST"])
    with Serving(Starlette(routes=[everything])) as served:
        form = first_form(f"{served.url}/")
        assert (form.fields, form.choices, form.texts) == ({"do": "check"}, {"choice": ["a", "b"]}, ["words"])
        form.fields |= {"choice": "b", "words": "so"}
        assert send(form) == "first: [('choice', 'b'), ('do', 'check'), ('words', 'so')]"
        assert "nothing" in open_page(f"{served.url}/empty")
        with pytest.raises(ValueError, match="no form"):
            first_form(f"{served.url}/empty")
