"""The history of the schema, for Alembic: forward only, numbered, each in one transaction."""
