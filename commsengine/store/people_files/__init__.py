"""What a people file changes, the ids it brings, and the files that wait for a person's word."""
