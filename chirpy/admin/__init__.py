"""What those who run Chirpy ask it: is it well, how often was it visited, may it start afresh."""
