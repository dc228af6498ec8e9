"""What came of a campaign: who did it, and how an experiment came out by that."""
