"""What people said, and what they were answered."""
