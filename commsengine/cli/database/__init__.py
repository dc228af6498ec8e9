"""``backup``, ``restore``, ``upgrade`` and ``migrate-database``."""
