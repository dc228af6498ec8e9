"""What a channel may send, shared by all engines: its rests, its pace, and which server answered last."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Nothing yet."""
