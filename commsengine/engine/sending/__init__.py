"""The senders: what a claimed touch goes through until its receipt is kept."""
