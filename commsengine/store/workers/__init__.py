"""What schedulers and workers share through a PostgreSQL database: who leads, and the jobs."""
