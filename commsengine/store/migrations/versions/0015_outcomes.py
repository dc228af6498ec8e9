"""Who did it, and sealed analyses."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    _deeds()
    op.create_table(
        "seal",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("analysis", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", name=op.f("pk_seal")),
        sa.ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f("fk_seal_campaign")),
    )
    op.create_table(
        "signed_call",
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("signature", name=op.f("pk_signed_call")),
    )
    op.create_index(op.f("ix_signed_call_at"), "signed_call", ["at"])


def _deeds() -> None:
    texts = ("campaign", "outcome", "source", "ref", "by")
    op.create_table(
        "deed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in texts),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deed")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_deed_person_id"), onupdate="CASCADE"),
        sa.UniqueConstraint(
            "person_id", "campaign", "outcome", "at", name=op.f("uq_deed_person_id_campaign_outcome_at")
        ),
    )
    op.create_index(op.f("ix_deed_person_id"), "deed", ["person_id"])
    op.create_index("ix_deed_campaign", "deed", ["campaign"])
