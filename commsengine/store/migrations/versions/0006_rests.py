"""Until when nothing could leave by a channel, or because no tick was called: lateness counts from there."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "rest",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_rest")),
    )
