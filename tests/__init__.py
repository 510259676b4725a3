"""What those who use Chirpy may rely on, a file for each kind of them."""
