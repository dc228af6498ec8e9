"""Who is on Slack, cards that wait to be drawn again, and questions that came as words."""

import sqlalchemy as sa
from alembic import op

from commsengine.store.tables import Instant

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    _who_is_on_slack()
    _questions_in_threads()
    _redraws()


def _who_is_on_slack() -> None:
    for name in ("team_id", "status"):
        op.add_column("slack_id", sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''")))
    op.create_table(
        "slack_workspace",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("counted", "members", "missing")),
        *(sa.Column(name, Instant(), nullable=True) for name in ("began_at", "finished_at", "free_at")),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token", "team_id", name=op.f("pk_slack_workspace")),
    )


def _questions_in_threads() -> None:
    for name in ("thread", "said"):
        op.add_column("question", sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''")))


def _redraws() -> None:
    op.create_table(
        "redraw",
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("drawing_until", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("remote_id", name=op.f("pk_redraw")),
    )
    op.create_index(op.f("ix_redraw_due_at"), "redraw", ["due_at"])
