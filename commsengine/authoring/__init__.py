"""What people write, read with care: plans, people and rules come in, every problem at once with its place."""
