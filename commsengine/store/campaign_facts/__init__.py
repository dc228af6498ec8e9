"""What leads decided about a campaign beside its plan."""
