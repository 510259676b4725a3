"""What this Chirpy promises beyond the course."""
