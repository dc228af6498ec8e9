"""The scheduler that leads."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0022"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "lead",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lead")),
    )
