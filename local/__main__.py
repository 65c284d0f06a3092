"""`python -m local`: start, change, stop and watch the local system."""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from handlers.image_json import image_json
from local.background_process import LocalSystemError
from local.build import build_packages, only_one_start, write_description
from local.logs.feed import LogFeed
from local.logs.lines import show
from local.logs.records import Record
from local.logs.request import of_request
from local.parameters import format_parameters, merge, read_parameters, unused_variables
from local.sample import sample_jpeg
from local.system import API_KEY, EMULATOR_LOG, GATEWAY_LOG, LocalSystem, State, ignore_shell_settings
from local.template import REGION, ROOT, read_template, translate
from local.watch import DESCRIPTION, saved_files

FOLDER = ROOT / ".local"
DEFAULT_PORT = 8000
_SHOWN_LOG_LINES = 20
_ERROR_WIDTH = 300
_POLL_SECONDS = 0.5
_SETTLED_AFTER = timedelta(seconds=1)
"""Records wait so long for older ones, since a function's come when it ends."""

FolderOption = Annotated[Path, typer.Option(envvar="LOCAL_FOLDER", help="Where the system keeps its files.")]
PortOption = Annotated[int, typer.Option(envvar="PORT", min=1, max=65535, help="Where the front listens.")]
Assignments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME=value]...",
        help="Parameters of template.yaml, their names in capitals: ALLOWED_ORIGINS=https://shop.example for "
        "AllowedOrigins. An empty value is the default. The system keeps them until it ends.",
    ),
]
RequestOption = Annotated[
    str | None, typer.Option(envvar="REQUEST", help="Show one request by its identifier, and end.")
]

app = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def start(
    parameters: Assignments = None, folder: FolderOption = FOLDER, port: PortOption = DEFAULT_PORT
) -> None:
    """Start everything and leave it running; of a system that is up, deploy what has changed."""
    named = _read_parameters(parameters or [])
    with only_one_start():
        began = time.monotonic()
        system = LocalSystem(folder, port, _report, merge({}, named))
        state = system.running()
        if state is None:
            system.require_free_port()
        _report("Building the packages")
        build_packages(_report_part)
        if state is None:
            state = _start(system, folder)
            print(f"\nThe local system is up after {_seconds_since(began)}, on {state.api_url}.")
        else:
            print(f"The local system is up already, on {state.api_url}.")
            print(_update(system, state, named, began))
    _print_usage(state, folder)


@app.command()
def watch(folder: FolderOption = FOLDER) -> None:
    """Deploy what is saved, again and again, until Ctrl-C."""
    state = _running(folder)
    system = LocalSystem(folder, DEFAULT_PORT, _no_report)
    print(f"Watching; the local system is on {state.api_url}. Ctrl-C ends the watch alone.", flush=True)
    try:
        _deploy_saved(system, set())
        for paths in saved_files():
            _deploy_saved(system, paths)
    except KeyboardInterrupt:
        print("\nThe watch has ended; the local system runs on.")


@app.command()
def stop(folder: FolderOption = FOLDER) -> None:
    """End the local system and remove what it made."""
    ended = LocalSystem(folder, DEFAULT_PORT, _report).stop()
    print("The local system has ended." if ended else "The local system was not running.")


@app.command()
def logs(folder: FolderOption = FOLDER, request: RequestOption = None) -> None:
    """Follow what the functions and the gateway log, in the order of time, until Ctrl-C."""
    client = _running(folder).endpoint.client("logs")
    feed = LogFeed(client, folder / GATEWAY_LOG, folder / EMULATOR_LOG)
    console = Console(soft_wrap=True)
    if request:
        records = of_request(feed.read(), request)
        if not records:
            raise LocalSystemError(
                f"Nothing was logged of a request {request}; see all with: make local-logs"
            )
        for record in records:
            show(console, record)
        return
    try:
        _follow(feed, console)
    except KeyboardInterrupt:
        return


@app.command()
def lint_template() -> None:
    """Lint the template as CloudFormation gets it, where alone a circle shows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(json.dumps(translate({}, {})))
        # W2001: the transform puts the values of some parameters in place, so they look unused.
        command = [
            str(Path(sys.executable).with_name("cfn-lint")),
            "--regions",
            REGION,
            "--ignore-checks",
            "W2001",
            "--",
            str(path),
        ]
        sys.exit(subprocess.run(command, check=False).returncode)


def _start(system: LocalSystem, folder: Path) -> State:
    state = system.start()
    try:
        _show_upload(state, folder)
    except BaseException:
        _show_end_of_log(folder)
        system.stop()
        raise
    return state


def _update(system: LocalSystem, state: State, named: Mapping[str, str | None], began: float) -> str:
    """Deploy what has changed and return a line that says what."""
    changes = system.update(state, named)
    if changes.emulator:
        print("The emulator has changed, and the older one runs on. To start anew, without any data:")
        print("make local-stop local")
    done = changes.describe()
    return f"Deployed {done} in {_seconds_since(began)}." if done else "Nothing has changed."


def _deploy_saved(system: LocalSystem, paths: set[Path]) -> None:
    """Build and deploy; whatever goes wrong is shown, and the next save may mend it."""
    began = time.monotonic()
    try:
        with only_one_start():
            if any(path.is_relative_to(DESCRIPTION) for path in paths):
                write_description()
            build_packages(_no_report)
            state = system.running()
            if state is None:
                raise LocalSystemError("The local system has ended; start it with: make local")
            line = _update(system, state, {}, began)
    except _FAILURES as error:
        line = _explain(error)
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


def _follow(feed: LogFeed, console: Console) -> None:
    waiting = list[Record]()
    while True:
        waiting = sorted([*waiting, *feed.read()], key=lambda record: record.at)
        settled = datetime.now(UTC) - _SETTLED_AFTER
        for record in waiting:
            if record.at <= settled:
                show(console, record)
        waiting = [record for record in waiting if record.at > settled]
        time.sleep(_POLL_SECONDS)


def _read_parameters(assignments: list[str]) -> dict[str, str | None]:
    declared = read_template()["Parameters"]
    named = read_parameters(assignments, declared)
    for variable in unused_variables(os.environ, declared):
        if not any(assignment.startswith(f"{variable}=") for assignment in assignments):
            print(
                f"{variable} of the shell is not used; give it after the command: make local {variable}=..."
            )
    if named:
        print(f"Parameters: {format_parameters({name: value or '' for name, value in named.items()})}")
    return named


def _show_upload(state: State, folder: Path) -> None:
    _report("Uploading a sample picture")
    sample = folder / "sample.jpg"
    sample.write_bytes(sample_jpeg())
    with sample.open("rb") as file:
        answer = httpx.post(
            f"{state.api_url}/api/products/{state.products[0]}/images",
            headers={"Authorization": f"Token {state.keys['staff']}"},
            files={"image": file},
            data={"alt_text": "Product front view", "is_primary": "true", "order": "1"},
            timeout=30,
        )
    print(f"\nHTTP {answer.status_code}\n{json.dumps(answer.json(), indent=2)}")
    if answer.status_code != httpx.codes.CREATED:
        raise LocalSystemError("The sample picture was not taken; see what the functions logged, above.")
    image = state.finished(state.products[0], answer.json()["id"])
    body = image_json(image, base_url=state.api_url, is_primary=True)
    print(f"\nand once it was inspected\n{json.dumps(body, indent=2)}")


def _show_end_of_log(folder: Path) -> None:
    # The emulator's log holds the functions' too, and is about to be deleted.
    for line in (folder / EMULATOR_LOG).read_text().splitlines()[-_SHOWN_LOG_LINES:]:
        print(line, file=sys.stderr)


def _print_usage(state: State, folder: Path) -> None:
    print(f"""
Send a picture:

curl -X POST "{state.api_url}/api/products/{state.products[0]}/images" \\
  -H "Authorization: Token {state.keys["staff"]}" \\
  -F "image=@{folder / "sample.jpg"}" \\
  -F "alt_text=Product front view" \\
  -F "is_primary=true" \\
  -F "order=1"

A key for examples: export API_KEY=$(cat {folder / API_KEY})    All keys: {folder / "state.json"}
Logs: make local-logs    Deploy on save: make local-watch    End: make local-stop""")


def _running(folder: Path) -> State:
    state = LocalSystem(folder, DEFAULT_PORT, _report).running()
    if state is None:
        raise LocalSystemError("The local system is not running; start it with: make local")
    return state


def _report(line: str) -> None:
    print(f"- {line} ...", flush=True)


def _report_part(line: str) -> None:
    print(f"  {line}", flush=True)


def _no_report(_line: str) -> None:
    """Say nothing of the steps: a watch says one line of all."""


def _seconds_since(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"


_FAILURES = (LocalSystemError, BotoCoreError, ClientError, httpx.HTTPError, OSError, ValueError)


def _explain(error: Exception) -> str:
    if isinstance(error, LocalSystemError):
        return f"Error: {error}"
    # An error of AWS may quote the whole request.
    return f"Error: {type(error).__name__}: {textwrap.shorten(str(error), _ERROR_WIDTH)}"


def main() -> None:
    """Run the command; a failure is one line."""
    ignore_shell_settings()
    try:
        app()
    except _FAILURES as error:
        sys.exit(_explain(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
