"""The whole database again: as another SQLite file, or in PostgreSQL."""
