"""Programs of other senders, run as processes of their own."""
