"""A Django with post_office, the best sender that Python had: its queue in SQLite, sent by its own command.

python django_site.py DATABASE PORT fill MESSAGES      queues so many
python django_site.py DATABASE PORT send PROCESSES     sends what is queued, five threads a process
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

SECTIONS = '("Why", "Your job", "Skills", "Measures", "Results", "What comes next")'
HTML = Path(__file__).with_name("letter.html").read_text(encoding="utf-8")


def prepare(database: str, port: int) -> None:
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database, "OPTIONS": {"timeout": 30}}},
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        EMAIL_BACKEND="post_office.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        POST_OFFICE={
            "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
            "BATCH_SIZE": 100_000,
            "THREADS_PER_PROCESS": 5,
            "LOG_LEVEL": 0,
        },
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    )
    django.setup()


def fill(messages: int) -> None:
    from post_office.models import PRIORITY, STATUS, Email, EmailTemplate

    call_command("migrate", verbosity=0)
    letter = HTML.replace(SECTIONS, "sections")
    template = EmailTemplate.objects.create(
        name="one-record", subject="One record for all", content="Hello {{ name }}", html_content=letter
    )
    sections = ["Why", "Your job", "Skills", "Measures", "Results", "What comes next"]
    queued = {"status": STATUS.queued, "priority": PRIORITY.medium, "from_email": "change@example.com"}
    emails = [
        Email(
            to=[f"p{number:06d}@example.com"],
            template=template,
            context={"name": f"Person {number}", "link": f"https://example.com/a/{number}", "sections": sections},
            **queued,
        )
        for number in range(messages)
    ]
    Email.objects.bulk_create(emails, batch_size=500)


def main(database: str, port: str, verb: str, count: str) -> None:
    prepare(database, int(port))
    if verb == "fill":
        fill(int(count))
    else:
        call_command("send_queued_mail", processes=int(count), verbosity=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
