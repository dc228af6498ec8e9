"""What a channel may send, shared by all engines: its rests, its pace, and which server answered last."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0008"
down_revision = "0007"

WAS_SENT = sa.text("sent_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("rest", sa.Column("since", Instant(), nullable=True))
    op.add_column("rest", sa.Column("because", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("rest", sa.Column("fault", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("rest", sa.Column("times", sa.Integer(), nullable=False, server_default=sa.text("0")))
    for name in ("open", "trying", "next_tick"):
        op.add_column("rest", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("engine") as engine:
        engine.drop_column("resting")
        engine.add_column(sa.Column("ended_at", Instant(), nullable=True))
    op.create_table(
        "rate",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("free_at", Instant(), nullable=True),
        sa.Column("connections", sa.Integer(), nullable=True),
        sa.Column("narrowed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_rate")),
    )
    op.create_table(
        "provider",
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("banner", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_provider")),
    )
    op.create_index(
        "ix_touch_channel_sent_at",
        "touch",
        ["channel", "sent_at"],
        sqlite_where=WAS_SENT,
        postgresql_where=WAS_SENT,
    )
