"""Counts the instructions of a fresh process: a measure that no other load on the machine changes."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.environments import BenchmarkError, Deployment

_COLLECTED = re.compile(r"Collected : (\d+)")


def require_valgrind() -> None:
    """Make sure that valgrind is there.

    Raises:
        BenchmarkError: it is not; the message says how to install it.

    """
    if shutil.which("valgrind") is None:
        raise BenchmarkError(
            "valgrind, which counts the instructions of the start-up, is not installed. Install it "
            "(Debian, Ubuntu: sudo apt-get install valgrind; Fedora, Amazon Linux: sudo dnf install "
            "valgrind) and repeat, or run the other parts one by one, for example: make bench BENCH=upload"
        )


def count_instructions(programs: Sequence[tuple[Deployment, str]], on_done: Callable[[], None]) -> list[int]:
    """Return the instructions of each program's process, in user mode.

    They run side by side, which changes nothing: instructions are counted, not time.
    """

    def count(program: tuple[Deployment, str]) -> int:
        instructions = _count(*program)
        on_done()
        return instructions

    with ThreadPoolExecutor(os.process_cpu_count()) as pool:
        return list(pool.map(count, programs))


def _count(deployment: Deployment, program: str) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *deployment.command(program)]
    environment = {**deployment.environment, "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    collected = _COLLECTED.search(done.stderr)
    if done.returncode or not collected:
        raise BenchmarkError(f"A program failed under valgrind:\n{done.stderr.strip()}")
    return int(collected[1])
