"""What the course demands, chapter by chapter."""
