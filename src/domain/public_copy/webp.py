"""Stands in until the copy of this format is there."""


def copy(content: bytes) -> bytes:
    """Return the picture as it is."""
    return content
