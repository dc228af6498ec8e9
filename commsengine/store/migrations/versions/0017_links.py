"""Links that work once."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "fresh_link",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("by_itself", sa.Boolean(), nullable=False),
        sa.Column("used_at", Instant()),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_fresh_link")),
    )
    op.create_index(op.f("ix_fresh_link_recipient"), "fresh_link", ["recipient"])
    op.add_column("person", sa.Column("revoked", sa.Integer(), nullable=False, server_default=sa.text("0")))
