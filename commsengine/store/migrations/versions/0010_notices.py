"""Messages that are in no plan file."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "message", name=op.f("pk_notice")),
        sa.ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f("fk_notice_campaign")),
    )
