"""A person's rosters are found by the person: a load of a thousand people no longer reads every roster."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index(op.f("ix_roster_person_id"), "roster", ["person_id"])
