"""Plans in several languages: the files beside a plan that have its texts, and how they are kept up to date."""
