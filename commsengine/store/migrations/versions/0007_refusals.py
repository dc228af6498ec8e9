"""What servers refused, and what it is about: shown by what the others get, or said by a person."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "refusal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("alike", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("run_since", Instant(), nullable=True),
        sa.Column("run", sa.JSON(), nullable=False),
        sa.Column("holds_since", Instant(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
    )
    op.create_index(op.f("ix_refusal_channel_alike"), "refusal", ["channel", "alike"])
    op.add_column("touch", sa.Column("refusal_id", sa.Integer(), nullable=True))
    op.add_column("touch", sa.Column("uncounted", sa.Integer(), nullable=False, server_default=sa.text("0")))
    known = sa.text("refusal_id IS NOT NULL")
    op.create_index("ix_touch_refusal", "touch", ["refusal_id"], sqlite_where=known, postgresql_where=known)
    op.add_column("attempt", sa.Column("fault", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("attempt", sa.Column("refusal_id", sa.Integer(), nullable=True))
    op.create_index("ix_attempt_refusal", "attempt", ["refusal_id"], sqlite_where=known, postgresql_where=known)
