"""The phases of a campaign as its leads see them: what was reached, what is unclear, and the review at the end."""
