"""What servers refused, and what it is about: shown by what the others get, or said by a person."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing yet."""
