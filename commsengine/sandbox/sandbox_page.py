"""The sandbox page: each person's inbox and direct messages, to read and click as that person. No script needed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from commsengine.cadence.people import Person
from commsengine.sandbox.blocks_html import block_html, input_html, mrkdwn
from commsengine.sandbox.card_page import template
from commsengine.sandbox.mailbox import Mail, Mailbox
from commsengine.sandbox.slack_clicks import button_of
from commsengine.sandbox.slack_server import SlackStandIn
from commsengine.sandbox.slack_team import Dialog, Post
from commsengine.translation import _

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'"
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a person got or typed: a mail or a message in Slack, with the local time it bears.

    ``replies`` stand below it, the oldest first.
    """

    when: str
    arrived_at: float
    mail: Mail | None = None
    post: Post | None = None
    replies: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list of people."""

    person: Person
    mails: int = 0
    cards: int = 0

    @property
    def initials(self) -> str:
        words = self.person.name.split() or [self.person.email]
        return "".join(word[0] for word in (words[0], words[-1]) if word).upper()[: min(2, len(words))]

    @property
    def hue(self) -> int:
        return sum(self.person.id.encode()) * 47 % 360


class Page:
    """Reads mailbox and Slack; changes them only by clicks. ``people`` are shown; other recipients are added."""

    def __init__(self, people: Sequence[Person], mailbox: Mailbox, slack: SlackStandIn) -> None:
        self._people = {person.email.lower(): person for person in people}
        self._mailbox, self._slack = mailbox, slack

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/", self._show),
            Route("/mail/{number:int}", self._mail),
            Route("/mail/{number:int}/source", self._source),
            Route("/click", self._click, methods=["POST"]),
            Route("/submit", self._submit, methods=["POST"]),
            Route("/say", self._say, methods=["POST"]),
            Route("/home", self._home, methods=["POST"]),
        ]

    def _show(self, request: Request) -> Response:
        find = request.query_params.get("find", "")
        listed = self._listed()
        email = request.query_params.get("person", "").lower()
        chosen = listed.get(email) or max(listed.values(), key=lambda one: one.mails + one.cards, default=None)
        matching = [one for one in listed.values() if _matches(one.person, find)]
        shown = sorted(matching, key=lambda one: one.person.name or "~")
        items = self._items(chosen.person) if chosen else []
        member = self._slack.team.user(chosen.person.email) if chosen else None
        content = template("page.html").render(
            people=shown,
            chosen=chosen,
            find=find,
            said=request.query_params.get("said", ""),
            items=items,
            newest_mail=next((item.mail.number for item in items if item.mail), 0),
            dialogs=self._slack.team.dialogs_of(chosen.person.email) if chosen else [],
            mails=len(self._mailbox.arrived),
            cards=len(self._slack.posts),
            card=self._card,
            view=_view,
            writes=member is not None and self._slack.team.typing,
            home=self._slack.team.homes.get(member.id) if member and request.query_params.get("home") else None,
            dialog_fields=_fields,
            link=lambda person: "?" + urlencode({"person": person.email, "find": find}),
        )
        return HTMLResponse(content, headers={"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-store"})

    def _mail(self, request: Request) -> Response:
        mail = self._numbered(request)
        html = mail.html or str(Markup("<pre>{}</pre>").format(mail.text))
        opened = re.sub(r"(<head[^>]*>)", r'\1<base target="_blank">', html, count=1, flags=re.IGNORECASE)
        if opened == html:
            opened = f'<base target="_blank">{html}'
        return HTMLResponse(opened, headers={"Content-Security-Policy": _MAIL_POLICY})

    def _source(self, request: Request) -> Response:
        return PlainTextResponse(self._numbered(request).data.decode("utf-8", "replace"))

    async def _click(self, request: Request) -> Response:
        form = await request.form()
        post = self._slack.team.find(str(form.get("channel")), str(form.get("ts")))
        action, value = str(form.get("action_id")), str(form.get("value", ""))
        if post is None or button_of(post, action, value) is None:
            return PlainTextResponse(_("This card has changed. Go back and look at it again."), 409)
        reply = await run_in_threadpool(self._slack.click, post.user.id, action, value, post=post)
        return _back(post.user.email, reply.status)

    async def _submit(self, request: Request) -> Response:
        form = await request.form()
        dialog = self._slack.team.dialogs.get(str(form.get("dialog")))
        if dialog is None:
            return PlainTextResponse(_("This dialog is closed."), 409)
        if form.get("away"):
            self._slack.team.close_dialog(dialog)
            return _back(dialog.user.email, 200)
        values = {name: _single(form.getlist(name)) for name in form}
        reply = await run_in_threadpool(self._slack.submit, dialog, values)
        return _back(dialog.user.email, reply.status)

    async def _say(self, request: Request) -> Response:
        form = await request.form()
        writer, text = str(form.get("person")), str(form.get("text", "")).strip()
        if not text:
            return _back(writer, 200)
        reply = await run_in_threadpool(self._slack.say, writer, text, thread=str(form.get("thread", "")))
        return _back(writer, reply.status)

    async def _home(self, request: Request) -> Response:
        visitor = str((await request.form()).get("person"))
        published = len(self._slack.calls)
        reply = await run_in_threadpool(self._slack.open_home, visitor)
        await run_in_threadpool(self._slack.wait_for, "views.publish", published)
        return _back(visitor, reply.status, home=1)

    def _numbered(self, request: Request) -> Mail:
        number = int(request.path_params["number"])
        if not 0 < number <= len(self._mailbox.arrived):
            raise HTTPException(404, _("No such mail."))
        return self._mailbox.arrived[number - 1]

    def _listed(self) -> dict[str, Listed]:
        listed = {email: Listed(person) for email, person in self._people.items()}
        for mail in list(self._mailbox.arrived):
            for address in map(str.lower, mail.recipients):
                one = listed.get(address) or Listed(Person(id=address, email=address))
                listed[address] = replace(one, mails=one.mails + 1)
        for post in list(self._slack.posts):
            one = listed.get(post.user.email.lower()) or Listed(Person(post.user.id, post.user.email, post.user.name))
            listed[post.user.email.lower()] = replace(one, cards=one.cards + 1)
        return listed

    def _items(self, person: Person) -> list[Item]:
        zone = _zone(person)
        items = [Item(_shown(mail.date, zone), mail.arrived_at, mail=mail) for mail in self._mailbox.of(person.email)]
        posts = [Item(_sent(post, zone), post.arrived_at, post=post) for post in self._slack.dm_of(person.email)]
        for item in posts:
            assert item.post  # noqa: S101 - made so right above
            if not item.post.thread or item.post.broadcast:
                below = tuple(one for one in posts if one.post and one.post.thread == item.post.ts)
                items.append(replace(item, replies=below))
        return sorted(items, key=lambda item: item.arrived_at, reverse=True)

    def _card(self, post: Post) -> Markup:
        def button(element: Mapping[str, Any]) -> Markup:
            label, style = (element.get("text") or {}).get("text", ""), element.get("style", "")
            if element.get("url"):
                return _link(element)
            hidden = {"channel": post.conversation, "ts": post.ts}
            hidden |= {name: element.get(name, "") for name in ("action_id", "value")}
            field = Markup('<input type=hidden name="{}" value="{}">')
            fields = Markup("").join(field.format(name, value) for name, value in hidden.items())
            form = Markup('<form method=post action="/click">{}<button class="button {}">{}</button></form>')
            return form.format(fields, style, label)

        card = Markup("").join(block_html(block, button) for block in post.blocks)
        return card or Markup("<p>{}</p>").format(post.text if post.typed else mrkdwn(post.text))


def _view(view: Mapping[str, Any]) -> Markup:
    return Markup("").join(block_html(block, _link) for block in view.get("blocks", ()))


def _link(button: Mapping[str, Any]) -> Markup:
    link = Markup('<a class="button {}" href="{}" target="_blank" rel="noopener noreferrer">{}</a>')
    label = (button.get("text") or {}).get("text", "")
    return link.format(button.get("style", ""), _web(str(button.get("url", ""))), label)


def _fields(dialog: Dialog) -> Markup:
    return Markup("").join(input_html(block) for block in dialog.view.get("blocks", ()))


def _back(email: str, status: int, **more: object) -> Response:
    return RedirectResponse("/?" + urlencode({"person": email, "said": status, **more}), 303)


def _single(values: Iterable[Any]) -> Any:
    given = [str(value) for value in values]
    return given[0] if len(given) == 1 else given


def _matches(person: Person, find: str) -> bool:
    words = f"{person.name} {person.email} {person.department} {person.job}".lower()
    return all(word in words for word in find.lower().split())


def _zone(person: Person) -> dt.tzinfo:
    try:
        return ZoneInfo(person.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return dt.UTC


def _sent(post: Post, zone: dt.tzinfo) -> str:
    return _shown(dt.datetime.fromtimestamp(float(post.ts), dt.UTC), zone)


def _shown(when: dt.datetime | None, zone: dt.tzinfo) -> str:
    return f"{when.astimezone(zone):%a %-d %b %Y, %H:%M}" if when else ""


def _web(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else "#"
