"""What of a picture's bytes the public may have."""
