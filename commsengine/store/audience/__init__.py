"""Who a plan is for, asked of the database."""
