"""What people say, in 140 characters."""
