"""The record: SQLite or PostgreSQL behind a few methods, each of them one transaction."""
