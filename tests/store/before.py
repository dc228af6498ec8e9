"""A database as it was before questions stood first in Slack: what the migration adds is taken away again."""

from __future__ import annotations

from importlib import import_module

from commsengine.store.store import Store

MIGRATION = import_module("commsengine.store.migrations.versions.0005_slack")

UNDO = (
    "DROP INDEX ix_touch_campaign_due_at",
    "DROP TABLE lead",
    "DROP TABLE review_copy",
    "DROP TABLE people_file",
    "ALTER TABLE touch DROP COLUMN asks",
    "ALTER TABLE answer DROP COLUMN measures",
    "ALTER TABLE touch DROP COLUMN corrects",
    "ALTER TABLE touch DROP COLUMN named",
    "DROP TABLE suspect",
    "DROP TABLE replied",
    "DROP TABLE reply",
    "DROP TABLE fresh_link",
    "ALTER TABLE person DROP COLUMN revoked",
    "DROP TABLE manager_hold",
    "DROP TABLE manager_line",
    "DROP TABLE gate",
    "ALTER TABLE question DROP COLUMN objection",
    "DROP TABLE signed_call",
    "DROP TABLE seal",
    "DROP TABLE deed",
    "DROP TABLE notice",
    "DROP TABLE rest",  # what later revisions add
    "DROP TABLE slack_workspace",
    "ALTER TABLE slack_id DROP COLUMN team_id",
    "ALTER TABLE slack_id DROP COLUMN status",
    "DROP TABLE redraw",
    "ALTER TABLE question DROP COLUMN thread",
    "ALTER TABLE question DROP COLUMN said",
    "DROP TABLE rate",
    "DROP TABLE provider",
    "DROP INDEX ix_touch_channel_sent_at",
    "ALTER TABLE engine DROP COLUMN ended_at",
    "ALTER TABLE engine ADD COLUMN resting JSON NOT NULL DEFAULT '{}'",
    "DROP TABLE refusal",
    "DROP INDEX ix_touch_refusal",
    "DROP INDEX ix_attempt_refusal",
    "ALTER TABLE touch DROP COLUMN refusal_id",
    "ALTER TABLE touch DROP COLUMN uncounted",
    "ALTER TABLE attempt DROP COLUMN refusal_id",
    "ALTER TABLE attempt DROP COLUMN fault",
    "ALTER TABLE answer DROP COLUMN counts",
    "ALTER TABLE slack_id DROP COLUMN grid_id",
    "DELETE FROM counter WHERE name = 'answer_above'",
    f"UPDATE alembic_version SET version_num = '{MIGRATION.down_revision}'",  # noqa: S608 - a number of ours
)


def upgraded(store: Store, url: str) -> Store:
    """The same database, taken back to what the last version made and upgraded by this one."""
    with store.database.write() as connection:
        for statement in UNDO:
            connection.exec_driver_sql(statement)
    store.close()
    return Store.upgrade(url)
