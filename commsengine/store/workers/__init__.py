"""What schedulers, workers and their watch share in one database: who leads, the jobs, the clock, the figures."""
