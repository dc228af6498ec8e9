"""The store: opens the database and holds its subjects, one class each. All times are aware and in UTC, in and out."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Self

from commsengine.errors import CommsError
from commsengine.store import schema
from commsengine.store.audience.audience_counts import AudienceCounts
from commsengine.store.campaign_facts.deeds import Deeds
from commsengine.store.campaign_facts.gates import Gates
from commsengine.store.campaign_facts.manager_words import ManagerWords
from commsengine.store.campaign_facts.notices import Notices
from commsengine.store.campaign_facts.seals import Seals
from commsengine.store.campaigns import CampaignStore
from commsengine.store.counts import Counts
from commsengine.store.database import Database, sqlite_url
from commsengine.store.dialogue.answers import Answers
from commsengine.store.dialogue.kept_copies import KeptCopies
from commsengine.store.dialogue.link_tokens import LinkTokens
from commsengine.store.dialogue.questions import Questions
from commsengine.store.dialogue.replies import Replies
from commsengine.store.engine_record import ChannelRecord, EngineRecord
from commsengine.store.estimates import Estimates
from commsengine.store.loading import Loading
from commsengine.store.outbox.outbox import Outbox
from commsengine.store.people import People
from commsengine.store.people_files.held import HeldFiles
from commsengine.store.reachability import Reachability
from commsengine.store.recovery import Recovery
from commsengine.store.refusals import Refusals
from commsengine.store.service_mail import ServiceMail
from commsengine.store.slack.ids import SlackIds
from commsengine.store.slack.redraws import Redraws
from commsengine.store.slack.workspaces import SlackWorkspaces
from commsengine.store.touches import Touches
from commsengine.store.workers.gauges import Gauges
from commsengine.store.workers.jobs import Jobs
from commsengine.store.workers.leadership import Leadership


@cache
def _with_our_tables() -> bytes:
    # all in memory begin as this one, which takes a hundredth of the time
    with closing(Database(None)) as database:
        schema.upgrade(database)
        return database.content()


class Store:
    """Everything on record. Safe to share between threads; every method of its subjects is one transaction.

    ``path`` is the file of a SQLite database, ``None`` on PostgreSQL and in memory.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.people = People(database)
        self.held_files = HeldFiles(database)
        self.campaigns = CampaignStore(database)
        self.notices = Notices(database)
        self.gates = Gates(database)
        self.manager_words = ManagerWords(database)
        self.deeds = Deeds(database)
        self.seals = Seals(database)
        self.loading = Loading(database)
        self.outbox = Outbox(database)
        self.service_mail = ServiceMail(database)
        self.touches = Touches(database)
        self.recovery = Recovery(database)
        self.refusals = Refusals(database)
        self.answers = Answers(database)
        self.questions = Questions(database)
        self.replies = Replies(database)
        self.link_tokens = LinkTokens(database)
        self.review_copies = KeptCopies(database)
        self.redraws = Redraws(database)
        self.reachability = Reachability(database)
        self.audience = AudienceCounts(database)
        self.counts = Counts(database, self.campaigns)
        self.engine = EngineRecord(database)
        self.channels = ChannelRecord(database)
        self.jobs = Jobs(database)
        self.gauges = Gauges(database)
        self.leadership = Leadership(database)
        self.estimates = Estimates(database)
        self.slack_ids = SlackIds(database)
        self.slack_workspaces = SlackWorkspaces(database, self.slack_ids)

    @classmethod
    def open(cls, url: str, *, durable: bool = True) -> Self:
        """Raises ``InputError`` if there is no database, ``CommsError`` if its schema is older or newer than ours.

        ``durable`` is false for what may be lost with the power, such as a rehearsal.
        """
        store = cls(Database(url, durable=durable))
        try:
            schema.check(store.database)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def create(cls, url: str, *, durable: bool = True) -> Self:
        """Opens the database, making its tables first if there are none."""
        cls._prepare(url, only_if_empty=True)
        return cls.open(url, durable=durable)

    @classmethod
    def in_memory(cls) -> Self:
        """A new one that is gone when it is closed."""
        return cls(Database(None, content=_with_our_tables()))

    @classmethod
    def upgrade(cls, url: str) -> Self:
        """Opens the database after bringing its schema to that of this program."""
        cls._prepare(url, only_if_empty=False)
        return cls.open(url)

    @classmethod
    def _prepare(cls, url: str, *, only_if_empty: bool) -> None:
        database = Database(url)
        try:
            found = schema.revision(database)
            if found is None or (found < schema.HEAD and not only_if_empty):
                schema.upgrade(database)
        finally:
            database.close()

    def is_the_same_as(self, path: Path) -> bool:
        """Whether that file is this database too, or was once copied from it, or this from it."""
        other = Database(sqlite_url(path))
        try:
            return (
                schema.revision(other) == schema.HEAD and EngineRecord(other).database_id() == self.engine.database_id()
            )
        except CommsError:
            return False
        finally:
            other.close()

    @property
    def path(self) -> Path | None:
        return self.database.path

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
