"""What was learned of each role from answered checks, one row for each day on which there were any."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "role_estimate",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("counted_at", Instant(), nullable=False),
        sa.Column("effective_at", Instant(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("forecasts", sa.Integer(), nullable=False),
        sa.Column("right", sa.Integer(), nullable=False),
        sa.Column("error", sa.Float(), nullable=False),
        sa.Column("likelihoods", sa.JSON(), nullable=False),
        sa.Column("pooled", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f("fk_role_estimate_campaign")),
        sa.PrimaryKeyConstraint("campaign", "role", "counted_at", name=op.f("pk_role_estimate")),
    )
