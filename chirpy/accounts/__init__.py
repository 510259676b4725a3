"""Who people are, how they prove it, and who is Chirpy Red."""
