"""Long runs under fault: seeded, repeatable, each ends with a table and exit status 1 if a promise broke."""
