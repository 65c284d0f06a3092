"""The same upload as the documentation of each framework would have it, one file each."""
