"""The touches of a campaign are read page by page in the order in which they fell due."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_index("ix_touch_campaign_due_at", "touch", ["campaign", "due_at", "key"], unique=False)
