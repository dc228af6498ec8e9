"""What a message corrected for its person, and the dates that it named."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("touch", sa.Column("corrects", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("touch", sa.Column("named", sa.String(), nullable=True))
