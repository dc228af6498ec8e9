"""Checks before the first message and after the last."""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    pass
