"""`python -m local`: start, stop and watch the local system."""

import json
import subprocess
import sys
import tempfile
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from botocore.exceptions import BotoCoreError, ClientError

from handlers.image_json import image_json
from local.background_process import LocalSystemError
from local.sample import sample_jpeg
from local.system import (
    LocalSystem,
    State,
    build_packages,
    ignore_shell_settings,
    only_one_start,
)
from local.template import REGION, ROOT, translate

FOLDER = ROOT / ".local"
DEFAULT_PORT = 8000
_SHOWN_LOG_LINES = 20
_ERROR_WIDTH = 300

FolderOption = Annotated[Path, typer.Option(envvar="LOCAL_FOLDER", help="Where the system keeps its files.")]
PortOption = Annotated[int, typer.Option(envvar="PORT", min=1, max=65535, help="Where the front listens.")]

app = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def start(folder: FolderOption = FOLDER, port: PortOption = DEFAULT_PORT) -> None:
    """Start everything, show that it works, and leave it running."""
    system = LocalSystem(folder, port, _report)
    with only_one_start():
        state = system.running()
        if state is not None:
            print(f"The local system is up already, on {state.api_url}.")
            _print_usage(state, folder)
            return
        began = time.monotonic()
        _report("Building the packages")
        build_packages()
        state = system.start()
        try:
            _show_upload(state, folder)
        except BaseException:
            _show_end_of_log(folder)
            system.stop()
            raise
    print(f"\nThe local system is up after {time.monotonic() - began:.0f} s, on {state.api_url}.")
    _print_usage(state, folder)


@app.command()
def stop(folder: FolderOption = FOLDER) -> None:
    """End the local system and remove what it made."""
    ended = LocalSystem(folder, DEFAULT_PORT, _report).stop()
    print("The local system has ended." if ended else "The local system was not running.")


@app.command()
def logs(folder: FolderOption = FOLDER) -> None:
    """Follow the logs of the functions, until Ctrl-C."""
    client = _running(folder).endpoint.client("logs")
    seen: set[tuple[str, str, int, str]] = set()
    while True:
        for group in client.describe_log_groups()["logGroups"]:
            name = group["logGroupName"]
            pages = client.get_paginator("filter_log_events").paginate(logGroupName=name)
            for event in (event for page in pages for event in page["events"]):
                # The emulator gives events no identifier.
                mark = (name, event["logStreamName"], event["timestamp"], event["message"])
                if mark not in seen:
                    seen.add(mark)
                    moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                    print(
                        f"{moment:%H:%M:%S} {name.rpartition('/')[2]}: {event['message'].rstrip()}",
                        flush=True,
                    )
        time.sleep(0.5)


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
    for line in (folder / "emulator.log").read_text().splitlines()[-_SHOWN_LOG_LINES:]:
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

Keys and resources: {folder / "state.json"}
Logs: make local-logs    End: make local-stop""")


def _running(folder: Path) -> State:
    state = LocalSystem(folder, DEFAULT_PORT, _report).running()
    if state is None:
        raise LocalSystemError("The local system is not running; start it with: make local")
    return state


def _report(line: str) -> None:
    print(f"- {line} ...", flush=True)


def main() -> None:
    """Run the command; a failure is one line."""
    ignore_shell_settings()
    try:
        app()
    except LocalSystemError as error:
        sys.exit(f"Error: {error}")
    except (BotoCoreError, ClientError, httpx.HTTPError, OSError, ValueError) as error:
        # An error of AWS may quote the whole request.
        sys.exit(f"Error: {type(error).__name__}: {textwrap.shorten(str(error), _ERROR_WIDTH)}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
