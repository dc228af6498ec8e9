"""How a difference between two versions of a plan looks on a terminal, and in a file that another person applies."""
