"""Measures warm invocations on the running local system: what is billed of each, and the bytes they log.

Run as `python -m bench.warm_invocations` after `make local`; it writes `bench/billed.json`.

The emulator lies on the same machine, so AWS's network is not in it. All uploads ask to be the primary. Each
picture is rendered before the next one is sent, so that no function takes another one's processor.
"""

import gzip
import json
import math
import os
import re
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime

import requests

from bench.environments import ROOT
from bench.origin import origin
from domain.image import ProductImage
from local.__main__ import FOLDER
from local.deployment import STACK
from local.sample import sample_jpeg
from local.system import LocalSystem, State, wait_until

RESULTS = ROOT / "bench/billed.json"
_UPLOADS = 40
_PICTURE_PIXELS = (4600, 3066)
"""Which makes a JPEG of 1.5 MB, as those of the bill are."""
_FUNCTIONS = (
    *("upload_image", "reserve_upload", "extract_metadata", "render_image", "gallery"),
    *("storefront", "products", "forget_image"),
)
_TILES = 40
"""Pictures of the category page that is priced."""
_DURATION = re.compile(r"REPORT.*\bDuration: (\d+) ms\tBilled")
_LOG_WAIT_MILLISECONDS = 5
_SILENT_WAIT_MILLISECONDS = 50
"""How long ministack 1.5.33 waits for further log lines, and for a first one, before it stops its clock
(`_drain_stderr_bounded`)."""
_SILENT = frozenset({"gallery", "storefront", "products"})
"""Functions that log nothing when all is well."""
_LINE_OVERHEAD_BYTES = 26
"""What CloudWatch Logs counts for each event beside its message (its pricing page)."""


def upload(state: State, content: bytes, product_id: int) -> ProductImage:
    """Send a picture, wait until it is rendered, and return its record."""
    answer = requests.post(
        f"{state.api_url}/api/products/{product_id}/images",
        headers={"Authorization": f"Token {state.keys['staff']}"},
        files={"image": ("picture.jpg", content)},
        data={"alt_text": "Product front view", "is_primary": "true"},
        timeout=30,
    )
    sent = answer.json()

    def look() -> ProductImage | None:
        image = state.catalog.get(sent["product_id"], sent["id"])
        return image if image and image.look else None

    return wait_until(look, f"renditions of image {sent['id']}")


def reserve(state: State, content: bytes) -> None:
    """Ask for an upload form, and leave it at that: its inspection is billed as the other one's."""
    requests.post(
        f"{state.api_url}/api/products/{state.products[2]}/images/uploads",
        headers={"Authorization": f"Token {state.keys['staff']}"},
        json={"name": "picture.jpg", "size": len(content), "alt_text": "Product front view"},
        timeout=30,
    ).raise_for_status()


def look(state: State) -> None:
    """List a gallery of one picture and show it."""
    gallery = f"{state.api_url}/api/products/{state.products[1]}/images"
    headers = {"Authorization": f"Token {state.keys['staff']}"}
    listed = requests.get(gallery, headers=headers, timeout=30).json()
    requests.get(f"{gallery}/{listed['results'][0]['id']}", headers=headers, timeout=30).raise_for_status()
    requests.get(f"{state.api_url}/api/products", headers=headers, timeout=30).raise_for_status()
    show(state, 10)


def show(state: State, pictures: int) -> bytes:
    """Return what the storefront is told of so many pictures, past the CDN."""
    gallery = f"{state.api_url}/api/storefront/products/{state.products[0]}/images"
    answer = requests.get(gallery, params={"limit": str(pictures)}, timeout=30)
    answer.raise_for_status()
    return answer.content


def forget(state: State, image: ProductImage) -> None:
    """Delete a picture; the CDN is told to forget it."""
    requests.delete(
        f"{state.api_url}/api/products/{image.ref.product_id}/images/{image.ref.image_id}",
        headers={"Authorization": f"Token {state.keys['staff']}"},
        timeout=30,
    ).raise_for_status()


def billed_milliseconds(function: str, durations: Sequence[int]) -> int:
    """Return what Lambda would bill at the median: without the emulator's wait, and rounded up, not off."""
    wait = _SILENT_WAIT_MILLISECONDS if function in _SILENT else _LOG_WAIT_MILLISECONDS
    return math.floor(statistics.median(durations)) - wait + 1


def main() -> None:
    """Upload, reserve and look, then read the functions' logs."""
    state = LocalSystem(FOLDER, 0, print).running()
    if state is None:
        raise SystemExit("The local system is not running; start it with: make local")
    content = sample_jpeg(*_PICTURE_PIXELS)
    upload(state, content, state.products[1])
    for number in range(_UPLOADS):
        upload(state, content, state.products[0])
        reserve(state, content)
        look(state)
        forget(state, upload(state, content, state.products[2]))
        print(f"\r{number + 1} of {_UPLOADS} pictures of {len(content):,} bytes", end="", flush=True)
    print()
    logs = state.endpoint.client("logs")
    pages = logs.get_paginator("filter_log_events")
    functions = {}
    for name in _FUNCTIONS:
        group = f"/product-images/{STACK}/{name.replace('_', '-')}"
        messages = [
            event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"]
        ]
        durations = [int(found[1]) for message in messages if (found := _DURATION.match(message))]
        size = sum(len(message.encode()) + _LINE_OVERHEAD_BYTES for message in messages)
        functions[name] = {
            "invocations": len(durations),
            "median_billed_milliseconds": billed_milliseconds(name, durations),
            "bytes_logged": round(size / len(durations)),
        }
    # Of a photograph, which takes far longer to encode than the picture that is sent here: by hand, from the
    # benchmark of renditions (`bench/parts/renditions.py`).
    rendering = json.loads(RESULTS.read_text())["rendering"]
    functions["render_image"]["median_billed_milliseconds"] = rendering["milliseconds"]
    measured = {
        "measured_at": datetime.now(UTC).date().isoformat(),
        "origin": origin(),
        "command": "make local && python -m bench.warm_invocations",
        "processors": os.cpu_count(),
        "load_average": round(os.getloadavg()[1], 1),
        "picture_bytes": len(content),
        "compared": {
            "measured_at": datetime.now(UTC).date().isoformat(),
            "load_average": round(os.getloadavg()[1], 1),
            "upload_milliseconds": functions["upload_image"]["median_billed_milliseconds"],
        },
        "rendering": rendering,
        "tiles_bytes": len(gzip.compress(show(state, _TILES))),
        "functions": functions,
    }
    RESULTS.write_text(json.dumps(measured, indent=2) + "\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
