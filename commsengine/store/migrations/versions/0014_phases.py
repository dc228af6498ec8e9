"""Gates of phases, and objections."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "gate",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "phase", name=op.f("pk_gate")),
        sa.ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f("fk_gate_campaign")),
    )
    op.add_column("question", sa.Column("objection", sa.Boolean(), nullable=False, server_default=sa.false()))
