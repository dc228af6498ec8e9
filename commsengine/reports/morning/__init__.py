"""What owners and managers get in the morning."""
