"""People files as companies export them: read, understood, and each row that cannot be used named."""
