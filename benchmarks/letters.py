"""What the bytes of a letter cost: text, HTML and headers for one person, beside Jinja2 and ``email`` the standard way.

Both make the same letters, from one shipped template, in the same minute; CPU time, the best of the rounds. Ours is
told in its parts: rendering, the bytes of the mail, and a signed link, of which each letter has as many as it says.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import TypeVar

from itsdangerous import URLSafeSerializer
from jinja2 import Environment, Template

sys.path.insert(0, str(Path(__file__).parent.parent))

from commsengine.cadence.history import Touch
from commsengine.cadence.people import Person
from commsengine.channels.mime import laid_out
from commsengine.content.message import RenderedMessage
from commsengine.links import Links
from tests.builders import BEN
from tests.content.desk import CAST, a_renderer, a_touch

PEOPLE, ROUNDS = 20_000, 3  # more than any cache keeps
SENDER, BASE = "change@example.com", "https://comms.example.com"
NAMES = ("Ana Kim", "Zoë Ångström", "Bartholomew Featherstonehaugh", "李明", "Mia Wolf")
ENDS = dt.datetime(2027, 4, 1, tzinfo=dt.UTC)

About = TypeVar("About")


def main() -> None:
    people = [replace(BEN, id=f"p{n}", email=f"p{n}@example.com", name=f"{NAMES[n % 5]} {n}") for n in range(PEOPLE)]
    letters = [(a_touch(person=person.id, first=True), person) for person in people]
    renderer, links = a_renderer(), Links(BASE, ["a key"])
    rendered = [renderer.touch(touch, person, CAST) for touch, person in letters]
    standard = StandardWay(rendered[0], people[0])
    used = rendered[0].text.count(f"{BASE}/")
    link = least(letters, lambda touch, _person: links.url("answer", touch.key, ENDS))
    whole = least(letters, lambda touch, person: laid_out(renderer.touch(touch, person, CAST), SENDER))
    laying = least(list(zip(rendered, people, strict=True)), lambda message, _person: laid_out(message, SENDER))
    usual = least(letters[:200], standard.letter)
    size = len(laid_out(rendered[0], SENDER)[1])
    print(f"a letter of {size:,} bytes: {whole:.0f} µs, {laying:.0f} of them for its bytes; a link {link:.1f} ({used})")
    print(f"Jinja2, itsdangerous and email: {usual:.0f} µs, {usual / whole:.0f} times as much")


def least(given: Sequence[tuple[About, Person]], work: Callable[[About, Person], object]) -> float:
    """CPU µs for one, in the best round."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for about, person in given:
            work(about, person)
        rounds.append((time.process_time() - began) / len(given) * 1e6)
    return min(rounds)


class StandardWay:
    """The same letter as a Jinja2 template each for text and HTML, put together by ``EmailMessage``."""

    def __init__(self, model: RenderedMessage, person: Person) -> None:
        link = next(word for word in model.text.split() if word.startswith(f"{BASE}/a/"))
        values = {link: "{{ link }}", person.name: "{{ name }}", person.first_name: "{{ first_name }}"}
        self._text, self._html = self._template(model.text, values), self._template(model.html, values)
        self._subject, self._signer = model.subject, URLSafeSerializer("a key", salt="answer")

    @staticmethod
    def _template(text: str, values: dict[str, str]) -> Template:
        for value, place in values.items():
            text = text.replace(value, place)
        return Environment(autoescape=True).from_string(text)

    def letter(self, touch: Touch, person: Person) -> bytes:
        link = f"{BASE}/a/{self._signer.dumps([touch.key, int(ENDS.timestamp())])}"
        values = {"link": link, "name": person.name, "first_name": person.first_name}
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"], mail["Subject"] = SENDER, f"{person.name} <{person.email}>", self._subject
        mail["Date"], mail["Message-ID"] = format_datetime(touch.due_at), f"<{touch.key}@example.com>"
        mail.set_content(self._text.render(values), cte="quoted-printable")
        mail.add_alternative(self._html.render(values), subtype="html", cte="quoted-printable")
        return mail.as_bytes()


if __name__ == "__main__":
    main()
