"""Who is on Slack, cards that wait to be drawn again, and questions that came as words."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nothing yet."""
