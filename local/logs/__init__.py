"""What the local system's functions and its gateway log, as a person reads it."""
