"""The words of managers: what they hold, and the line that they add."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    _table("manager_hold", sa.Column("until", sa.Date(), nullable=False))
    _table("manager_line", sa.Column("text", sa.Text(), nullable=False))


def _table(name: str, said: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        said,
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f(f"fk_{name}_campaign")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f(f"fk_{name}_person_id"), onupdate="CASCADE"),
    )
    op.create_index(op.f(f"ix_{name}_person_id"), name, ["person_id"])
