"""What outlives a fault: since when a touch is uncertain, and which database this is."""

import uuid

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

from commsengine.store.tables import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("touch", sa.Column("uncertain_at", Instant(), nullable=True))
    op.execute(
        "UPDATE touch SET uncertain_at = (SELECT max(at) FROM attempt WHERE attempt.key = touch.key) "
        "WHERE state = 'uncertain'"
    )
    op.create_table(
        "instance",
        sa.Column("database", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("database", name=op.f("pk_instance")),
    )
    connection = op.get_bind()
    connection.execute(text("INSERT INTO instance VALUES (:database, '')"), {"database": str(uuid.uuid4())})
