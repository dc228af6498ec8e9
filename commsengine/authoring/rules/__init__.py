"""What makes a plan right or wrong, by subject: each file lists its rules in ``RULES``."""
