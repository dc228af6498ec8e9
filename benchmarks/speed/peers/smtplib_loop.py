"""The loop that many write first: a template, the standard package for mail, one connection, a commit per message.

python smtplib_loop.py DATABASE PORT
"""

from __future__ import annotations

import smtplib
import sqlite3
import sys
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path

from jinja2 import Environment

LETTER = Path(__file__).with_name("letter.html").read_text(encoding="utf-8")
TEXT = "Hello {{ name }},\n\nevery customer conversation is logged in one record.\n\nAnswer: {{ link }}\n"


def main(database: str, port: int) -> None:
    environment = Environment(autoescape=True)
    html, text = environment.from_string(LETTER), environment.from_string(TEXT)
    connection = sqlite3.connect(database)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    waiting = connection.execute("SELECT id, email, name FROM message WHERE sent = 0").fetchall()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number, email, name in waiting:
            values = {"name": name, "link": f"https://example.com/a/{number}"}
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = "change@example.com", email, "One record for all"
            message["Date"], message["Message-ID"] = formatdate(), f"<{number}@example.com>"
            message.set_content(text.render(values))
            message.add_alternative(html.render(values), subtype="html")
            server.send_message(message)
            connection.execute("UPDATE message SET sent = 1 WHERE id = ?", (number,))
            connection.commit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
