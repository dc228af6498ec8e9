"""Brings a database to the schema of this program, and refuses one that is older or newer."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from commsengine.errors import CommsError, InputError
from commsengine.store.database import Database
from commsengine.translation import N_, _

HEAD = "0023"
"""The newest revision; revisions are numbered, so they compare as text. A test holds it equal to the migrations."""

_UPGRADE_LOCK = 7_236_511  # any fixed number: two upgrades of one PostgreSQL database wait for each other


def check(database: Database) -> None:
    """Raises ``InputError`` when there is no database or a newer one, ``CommsError`` when its schema is older."""
    found = revision(database)
    if found is None:
        cause = _("There is no commsengine database at {place}.", place=place(database))
        raise InputError(cause, _("Run 'commsengine upgrade' to make one."))
    if found < HEAD:
        cause = N_("The database is of an older version (schema {found}, this program needs {needed}).")
        raise CommsError(_(cause, found=found, needed=HEAD), _("Run 'commsengine upgrade'; make a backup first."))
    if found > HEAD:
        cause = N_("The database is of a newer version (schema {found}, this program knows {known}).")
        raise InputError(_(cause, found=found, known=HEAD), _("Install the newer commsengine."))


def revision(database: Database) -> str | None:
    """The schema's revision, or ``None`` where nothing of ours is."""
    if database.path is not None and not database.path.exists():
        return None
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def upgrade(database: Database) -> None:
    """Takes the schema to ``HEAD`` in one transaction: after a crash it is the old one or the new one."""
    if database.path is not None:
        database.use_wal()
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
        run_migrations(connection, "head")


def run_migrations(connection: Connection, target: str) -> None:
    # Imported here: no command but an upgrade needs Alembic, and it takes its time.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def place(database: Database) -> str:
    return str(database.path or database.url.render_as_string(hide_password=True))
