"""What a call takes of the interpreter's memory."""

import tracemalloc
from collections.abc import Callable


def with_peak[T](call: Callable[[], T]) -> tuple[T, int]:
    """Return what a call returns, and the bytes that it had at most beside what was there before."""
    tracemalloc.start()
    try:
        result = call()
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return result, peak_bytes
