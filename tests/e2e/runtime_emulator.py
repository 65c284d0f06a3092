"""Runs a built function in AWS's Runtime Interface Emulator, as `sam local invoke` does in Docker."""

import json
import platform
from pathlib import Path
from typing import Any, Self

import httpx

from local.background_process import BackgroundProcess
from local.deployment import FUNCTIONS, PACKAGES
from local.emulator_process import free_port
from local.system import State
from local.template import ROOT

_MACHINE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
_EMULATOR = next(
    (ROOT / ".venv-sam").glob(f"lib/python3.13/site-packages/samcli/local/rapid/aws-lambda-rie-{_MACHINE}")
)
_PYTHON = ROOT / ".venv-runtime/bin/python"


class RuntimeEmulator:
    """One function in its runtime, with an environment that holds nothing else; one invoke at a time."""

    def __init__(self, function: str, state: State, folder: Path, **variables: str) -> None:
        self._function = function
        self._url = f"http://127.0.0.1:{free_port()}"
        configured = state.endpoint.client("lambda").get_function_configuration(
            FunctionName=state.resources.functions[function]
        )
        environment = {
            **configured["Environment"]["Variables"],
            "PATH": "/usr/bin:/bin",
            # Lambda sets both.
            "AWS_REGION": state.aws.region,
            "AWS_DEFAULT_REGION": state.aws.region,
            "AWS_ACCESS_KEY_ID": state.aws.access_key_id,
            "AWS_SECRET_ACCESS_KEY": state.aws.secret_access_key,
            "AWS_ENDPOINT_URL": state.aws.endpoint_url,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(configured["Timeout"]),
            # All that can be logged, so that what must never be can be looked for.
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
            **variables,
        }
        if function in {"extract_metadata", "render_image"}:
            environment["PYTHONPATH"] = str(PACKAGES / "PillowLayer/python")
        self._log = folder / f"{function}.log"
        command = [
            *(str(_EMULATOR), "--runtime-interface-emulator-address", self._url.removeprefix("http://")),
            *("--runtime-api-address", f"127.0.0.1:{free_port()}"),
            *(str(_PYTHON), "-m", "awslambdaric", f"handlers.{function}.lambda_handler"),
        ]
        package = PACKAGES / FUNCTIONS[function]
        self._process = BackgroundProcess.start(command, environment, self._log, package)

    def __enter__(self) -> Self:
        self._process.wait_until_ready(self._url, "runtime emulator", self._log)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.end()

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return what the function returns, or its error as {"errorMessage", "errorType", ...}."""
        path = "/2015-03-31/functions/function/invocations"
        answer = httpx.post(f"{self._url}{path}", content=json.dumps(event), timeout=60)
        result: dict[str, Any] = answer.json()
        return result

    def logs(self) -> str:
        """Return what runtime and function have written."""
        return self._log.read_text()
