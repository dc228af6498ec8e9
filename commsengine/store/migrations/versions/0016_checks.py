"""Checks before the first message and after the last: what each touch asks, and what an answer measures."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("touch", sa.Column("asks", sa.String(), nullable=True))
    op.add_column("answer", sa.Column("measures", sa.String(), nullable=False, server_default=sa.text("'recall'")))
