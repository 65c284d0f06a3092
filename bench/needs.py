"""Says what the benchmark needs and is not there, before packages are built and environments installed.

`python -m bench.needs [part ...]`, on the standard library alone.
"""

import sys

from bench.callgrind import require_valgrind
from bench.environments import BenchmarkError
from bench.parts import init


def main() -> None:
    """Look for what these parts of the benchmark need, or all of them."""
    parts = sys.argv[1:]
    if not parts or init.PART in parts:
        try:
            require_valgrind()
        except BenchmarkError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
