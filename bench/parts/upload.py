"""A warm upload: its CPU time by the size of the body against each peer, and its peak of memory."""

from collections.abc import Callable
from contextlib import ExitStack

from bench.bodies import upload_request
from bench.environments import ROOT, Deployment, package, peer
from bench.results import Findings, Row, compare
from bench.worker import Worker, interleave

PART = "upload"

_SIZES = (100_000, 500_000, 1_500_000, 2_500_000, 4_000_000)
_ROUNDS = 25
_TIMES = 5
_TRACED = 4_000_000
_CHECKED = 1_500_000
_GOALS: dict[tuple[str, int], float | None] = {
    ("powertools", 1_500_000): 0.22,
    ("powertools", 4_000_000): 0.145,
    ("django", 1_500_000): 0.27,
    ("django", 4_000_000): 0.23,
    ("fastapi", 1_500_000): 0.32,
    ("fastapi", 4_000_000): 0.22,
    ("tuned_calls", 1_500_000): 1.25,
    ("tuned_as_ours", 1_500_000): None,
}
_NAMES = {
    "powertools": "Powertools' File and Form parameters",
    "django": "Django REST framework with django-storages",
    "fastapi": "FastAPI with boto3",
    "tuned_calls": "two calls of the SDK alone, tuned for checksums and signatures",
    "tuned_as_ours": "two calls of the SDK alone, tuned in all that ours is",
}


def measure(report: Callable[[str], None]) -> Findings:
    """Send the same uploads to all, in turns."""
    ours = package("UploadImageFunction")
    deployments = {
        "ours": ours,
        "powertools": peer("powertools"),
        "django": peer("django"),
        "fastapi": peer("fastapi"),
        "tuned_calls": ours,
        "tuned_as_ours": ours,
    }
    report("whether all do the same job")
    for name, deployment in deployments.items():
        _check(deployment, name)
    rows = []
    milliseconds: dict[str, dict[str, float]] = {name: {} for name in deployments}
    with ExitStack() as stack:
        workers = {n: stack.enter_context(Worker(folders, n)) for n, folders in deployments.items()}
        for size in _SIZES:
            report(f"CPU of uploads of {size / 1e6:g} MB")
            spent = interleave(workers, upload_request(size), rounds=_ROUNDS, times=_TIMES)
            for name, seconds in spent.items():
                milliseconds[name][str(size)] = 1000 * sorted(seconds)[len(seconds) // 2]
                if (name, size) in _GOALS:
                    rows.append(_row(name, size, spent, _GOALS[name, size]))
        report("memory")
        rows.append(_memory(workers["ours"]))
        series = {
            "upload_cpu_milliseconds": milliseconds,
            "upload_peak_by_body": {
                name: worker.peak_bytes(upload_request(_TRACED)) / _TRACED for name, worker in workers.items()
            },
        }
    return Findings(rows, series)


def _check(deployment: Deployment, contender: str) -> None:
    """Look at one upload in a process of its own, so that nothing of it is left where is measured.

    Raises:
        BenchmarkError: the contender does another job.

    """
    request = str(upload_request(_CHECKED))
    program = (
        f"sys.path.append({str(ROOT)!r})\nfrom pathlib import Path\nfrom bench.contenders import check\n"
        f"check({contender!r}, Path({request!r}))"
    )
    deployment.run(program)


def _row(name: str, size: int, spent: dict[str, list[float]], goal: float | None) -> Row:
    return compare(
        PART,
        f"warm upload of {size / 1e6:g} MB, against {_NAMES[name]}",
        "ms of CPU",
        ours=[1000 * seconds for seconds in spent["ours"]],
        reference=[1000 * seconds for seconds in spent[name]],
        goal=goal,
    )


def _memory(worker: Worker) -> Row:
    request = upload_request(_TRACED)
    size = request.stat().st_size
    peaks = [worker.peak_bytes(request) for _ in range(3)]
    return compare(
        PART,
        "peak memory of an upload of 4 MB, traced, against its body's size",
        "bytes",
        ours=peaks,
        reference=[size] * len(peaks),
        goal=2.1,
    )
