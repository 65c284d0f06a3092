"""Where what is measured lies, and how it is run: alone, in a fresh process, with a known environment."""

import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / ".build"
FILES = BUILT / "bench/files"
"""Pictures and bodies that are measured with; made when they are first asked for."""

_NAMED = (
    *("boto3", "botocore", "aws-lambda-powertools", "pydantic", "multipart", "pybase64", "zlib-ng", "pillow"),
    *("django", "djangorestframework", "django-storages", "fastapi", "starlette", "python-multipart"),
)
"""Distributions whose versions the results name."""

_ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
_PYTHON = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
_SITE_PACKAGES = f"lib/python3.{sys.version_info.minor}/site-packages"

VARIABLES = {
    # The functions' settings; nothing is reached by these names.
    **dict.fromkeys(("TABLE", "IDEMPOTENCY_TABLE", "KEYS_TABLE", "BUCKET", "STACK", "CDN"), "bench"),
    "ALLOWED_ORIGINS": "",
    "STOREFRONT_MAX_AGE": "60",
    "STOREFRONT_STALE": "60",
    "UPLOAD_ORIGIN": "https://bench.s3.eu-central-1.amazonaws.com",
    "DAILY_UPLOAD_QUOTA": "0",
    "MAX_DIRECT_UPLOAD_BYTES": "4500000",
    "MAX_IMAGE_PIXELS": "100000000",
    "RENDITION_WIDTHS": "160,320,640,1024,1600,2048",
    "FALLBACK_WIDTHS": "320,640,1600",
    "AVIF_QUALITY": "60",
    "AVIF_SPEED": "8",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
    # As on Lambda. Without the first, the X-Ray SDK behind Powertools' Tracer makes a client of its own and
    # polls for rules in a thread, at half of what boto3 with two clients costs.
    "LAMBDA_TASK_ROOT": "/var/task",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    # There is no X-Ray daemon to trace to.
    "POWERTOOLS_TRACE_DISABLED": "1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    # A set's order decides how much work some imports are.
    "PYTHONHASHSEED": "0",
}


ALLOCATORS = {
    "UploadImageFunction": {"MALLOC_MMAP_THRESHOLD_": "16777216", "MALLOC_TRIM_THRESHOLD_": "67108864"},
    "RenderImageFunction": {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "268435456"},
}
"""What a function's environment tells glibc's allocator; a test holds this to `template.yaml`."""


class BenchmarkError(Exception):
    """The benchmark cannot run; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What one contender has on its path of imports, and nothing else but the standard library.

    `variables` are what its environment has beside what all have.
    """

    folders: tuple[Path, ...]
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Return all variables of its environment."""
        return {**VARIABLES, **self.variables}

    def command(self, program: str, *options: str) -> list[str]:
        """Return the command line that runs `program` in a fresh interpreter."""
        # Neither the user's site-packages, nor .pth files, nor the working directory.
        paths = [str(folder) for folder in self.folders]
        return [
            *(str(_PYTHON), "-s", "-S", "-P", "-B", *options),
            *("-c", f"import sys; sys.path[:0] = {paths}\n{program}"),
        ]

    def run(self, program: str, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run `program` to its end.

        Raises:
            BenchmarkError: it failed.

        """
        command = self.command(program, *options)
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BenchmarkError(f"A measured program failed:\n{done.stderr.strip()}")
        return done


def package(*logical_ids: str) -> Deployment:
    """Return the built packages of a function and its layers.

    Raises:
        BenchmarkError: one is not built.

    """
    folders = [package_folder(logical_id) for logical_id in logical_ids]
    paths = tuple(folder / "python" if (folder / "python").is_dir() else folder for folder in folders)
    variables = {name: value for each in logical_ids for name, value in ALLOCATORS.get(each, {}).items()}
    return Deployment(paths, variables)


def package_folder(logical_id: str) -> Path:
    """Return the folder of a built package.

    Raises:
        BenchmarkError: it is not built.

    """
    return _existing(BUILT / _ARCHITECTURE / logical_id, "make packages")


def peer(name: str) -> Deployment:
    """Return what a user of that framework would deploy: its newest wheels, compiled, nothing removed.

    Raises:
        BenchmarkError: it is not installed.

    """
    return Deployment((_existing(BUILT / "bench" / name / _SITE_PACKAGES, "make bench"),))


def _existing(folder: Path, command: str) -> Path:
    if not folder.is_dir():
        raise BenchmarkError(f"{folder.relative_to(ROOT)} is not there; run {command}")
    return folder


def about(measured_at: str) -> dict[str, Any]:
    """Return when, where and with which versions was measured."""
    deployments = [package("UploadImageFunction"), *map(peer, ("boto3", "powertools", "django", "fastapi"))]
    folders = [str(folder) for deployment in deployments for folder in deployment.folders]
    found = {found.name.lower().replace("_", "-"): found.version for found in distributions(path=folders)}
    return {
        "measured_at": measured_at,
        "machine": _machine(),
        "versions": {"python": platform.python_version()} | {n: found[n] for n in _NAMED if n in found},
    }


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{platform.machine()}, {len(models) or 'unknown'} x {models[0] if models else 'unknown'}"
