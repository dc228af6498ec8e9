"""``people``: import, find, show, export and erase; ``suppress``."""
