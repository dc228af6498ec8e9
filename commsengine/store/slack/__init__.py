"""What is on record of the Slack workspace: whom it has, and by which ids."""
