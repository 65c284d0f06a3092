"""Keeps one contender warm in a process of its own, and runs it when it is told to.

Reads commands from its standard input, one JSON object a line, and answers each with one on its standard
output; what the contender prints goes nowhere.
"""

import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

from bench.environments import ROOT, BenchmarkError, Deployment

_PROGRAM = """
sys.path.append({root!r})
from bench.worker import serve
from {module} import prepare
serve(prepare({contender!r}))
"""


class Worker:
    """The side of the benchmark: a contender's process, started and warm until `close`."""

    def __init__(self, deployment: Deployment, contender: str, module: str = "bench.contenders") -> None:
        self._contender = contender
        program = _PROGRAM.format(root=str(ROOT), module=module, contender=contender)
        self._process = subprocess.Popen(
            deployment.command(program),
            env=deployment.environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def cpu_seconds(self, request: Path, times: int) -> float:
        """Return the CPU time of one request, on average of `times`."""
        return self._tell(do="run", request=str(request), times=times)

    def peak_bytes(self, request: Path) -> float:
        """Return how much more memory is in use at the peak of a request than before it (tracemalloc)."""
        return self._tell(do="trace", request=str(request))

    def _tell(self, **command: Any) -> float:  # noqa: ANN401 - what JSON takes
        pipe, answers = self._process.stdin, self._process.stdout
        if not pipe or not answers:
            raise BenchmarkError("The worker has no pipes.")
        try:
            print(json.dumps(command), file=pipe, flush=True)
            answer = answers.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            errors = self._process.stderr.read().strip() if self._process.stderr else ""
            raise BenchmarkError(f"The contender {self._contender} failed:\n{errors}")
        return float(json.loads(answer))


def serve(prepare_call: Callable[[Path], Callable[[], object]]) -> None:
    """Answer commands until there are no more (in the contender's process)."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warmed_with = None
    for line in sys.stdin:
        command = json.loads(line)
        prepare = partial(prepare_call, Path(command["request"]))
        if warmed_with != command["request"]:
            warmed_with = command["request"]
            prepare()()
        result = _run(prepare, command["times"]) if command["do"] == "run" else _trace(prepare())
        print(json.dumps(result), file=answers, flush=True)


def _run(prepare: Callable[[], Callable[[], object]], times: int) -> float:
    spent = 0.0
    for _ in range(times):
        # Anew for each call, as a runtime or a server does: what it leaves in memory is part of the state in
        # which a request is met.
        call = prepare()
        started = time.process_time()
        call()
        spent += time.process_time() - started
    return spent / times


def _trace(call: Callable[[], object]) -> int:
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - before


def interleave(
    workers: Mapping[str, Worker], request: Path, *, rounds: int, times: int
) -> dict[str, list[float]]:
    """Return each worker's CPU seconds a request in each round; in a round every worker has its turn.

    What else the machine does, and how fast it is just then, so falls on all alike.
    """
    spent: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            spent[name].append(worker.cpu_seconds(request, times))
    return spent
