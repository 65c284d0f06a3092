"""The outside world behind the domain's ports: one technology, one file."""
