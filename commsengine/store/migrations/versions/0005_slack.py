"""Which answers count, and what Slack calls people in a whole organisation.

In Slack the answer to a check stood above its buttons: what was pressed there says nothing of what anybody knew. These
answers stay on record and count no more. What was learned from them is learned anew from the others. Cards that were
claimed by now are still of that kind; ``counter`` keeps their last fence.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

PRESSED = "kind = 'check' AND evidence = 'slack'"
CONCERNED = f"SELECT campaign FROM answer WHERE {PRESSED}"  # noqa: S608 - no value of anybody's is in it
THEIRS = f"SELECT person_id FROM touch WHERE campaign IN ({CONCERNED})"  # noqa: S608 - as above


def upgrade() -> None:
    op.add_column("answer", sa.Column("counts", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("slack_id", sa.Column("grid_id", sa.String(), nullable=False, server_default=sa.text("''")))
    op.execute(sa.text(f"UPDATE answer SET counts = false WHERE {PRESSED}"))  # noqa: S608 - as above
    op.execute(sa.text("INSERT INTO counter SELECT 'answer_above', value FROM counter WHERE name = 'fence'"))
    op.execute(sa.text(f"DELETE FROM role_estimate WHERE campaign IN ({CONCERNED})"))  # noqa: S608 - as above
    due = f"(SELECT max(at) FROM answer WHERE {PRESSED})"  # noqa: S608 - as above
    later = f"(wake_at IS NULL OR wake_at > {due})"
    op.execute(sa.text(f"UPDATE person SET wake_at = {due} WHERE {later} AND erased_at IS NULL AND id IN ({THEIRS})"))  # noqa: S608
