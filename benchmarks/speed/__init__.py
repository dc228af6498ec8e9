"""How fast mail leaves: the whole engine beside three others, on one mail server, in one run."""
