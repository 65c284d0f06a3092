"""Measures warm invocations on the running local system: their duration and the bytes they log.

The emulator has no network to AWS's services, so this is the functions' own time, not what AWS bills.
"""

import re
import statistics

import requests

from local.__main__ import FOLDER
from local.sample import sample_jpeg
from local.system import LocalSystem, State

_UPLOADS = 40
_LINE_OVERHEAD_BYTES = 26
"""What CloudWatch Logs counts for each event beside its message (its pricing page)."""


def upload(state: State, content: bytes) -> None:
    """Send a picture and wait until it is ready."""
    answer = requests.post(
        f"{state.api_url}/api/products/{state.products[0]}/images",
        headers={"Authorization": f"Token {state.keys['staff']}"},
        files={"image": ("picture.jpg", content)},
        data={"alt_text": "Product front view", "is_primary": "true"},
        timeout=30,
    )
    sent = answer.json()
    state.finished(sent["product_id"], sent["id"])


def main() -> None:
    """Upload, then read the functions' logs."""
    state = LocalSystem(FOLDER, 0, print).running()
    if state is None:
        raise SystemExit("The local system is not running; start it with: make local")
    content = sample_jpeg(3600, 2400)
    for number in range(_UPLOADS):
        upload(state, content)
        print(f"\r{number + 1} of {_UPLOADS} pictures of {len(content):,} bytes", end="", flush=True)
    print()
    logs = state.endpoint.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        messages = [event["message"] for page in pages for event in page["events"]]
        durations = [int(found[1]) for m in messages if (found := re.match(r"REPORT.*\bDuration: (\d+)", m))]
        if not durations:
            continue
        size = sum(len(message.encode()) + _LINE_OVERHEAD_BYTES for message in messages)
        name = group["logGroupName"].rpartition("/")[2]
        print(
            f"{name}: {len(durations)} invocations, median {statistics.median(durations):.0f} ms, "
            f"{size / len(durations):,.0f} bytes logged each"
        )


if __name__ == "__main__":
    main()
