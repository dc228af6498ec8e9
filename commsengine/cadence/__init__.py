"""Pure: what to say to whom, when, and why. No clock, no environment, no I/O, no randomness, no logging."""
