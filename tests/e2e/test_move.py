"""A shop moves: pictures come in from a computer over a broken network, and go on to another stack."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.dynamo_products import DynamoProducts
from local.sample import sample_jpeg
from local.system import LocalSystem, State
from local.template import ROOT
from tests.e2e.broken_network import BrokenNetwork, broken_network
from tests.e2e.shop import Shop
from tests.running_system import new_product
from tests.torture.results import size

PICTURES = size(2_000, 12, "pictures of a move")
CUT_OF_PIECES = size(0.01, 0.03, "of all pieces that are lost on the way of a move")
"""A list of a hundred pictures has some twenty pieces, and a request nine tries."""
_COMMAND_LINE = """
import runpy, signal
# A shell has what it runs in the background ignore Ctrl-C: these tests, perhaps, and their children.
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("ops", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def other_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Another stack, on a port of its own."""
    system = LocalSystem(tmp_path_factory.mktemp("other"), 0, print)
    yield Shop(system.start())
    system.stop()


def environment(url: str, state: State) -> dict[str, str]:
    return {**os.environ, "PRODUCT_IMAGES_URL": url, "PRODUCT_IMAGES_KEY": state.keys["staff"]}


def begin(command: str, path: Path, url: str, state: State, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND_LINE, "images", command, str(path), *more],
        cwd=ROOT,
        env=environment(url, state),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def stopped(network: BrokenNetwork, source: Path, state: State, by: signal.Signals, after: str) -> int:
    """Begin to import, and stop after some requests with this method; return the exit code."""
    running = begin("import", source, network.url, state)
    # The first look at what is there already comes before all else.
    network.wait_for(1 if after == "GET" else PICTURES // 4, after)
    running.send_signal(by)
    running.communicate()
    return running.returncode


def finished(command: str, path: Path, url: str, state: State, *more: str) -> str:
    running = begin(command, path, url, state, *more)
    output, errors = running.communicate()
    assert running.returncode == 0, errors
    return output


def shown(shop: Shop, product_id: int) -> list[tuple[str, str, str, int, bool]]:
    """Return what a shop shows of a product, in order: bytes, texts, place."""
    images, url = [], f"{shop.url(product_id)}?limit=100"
    while url:
        page = shop.request("GET", url).json()
        images += page["results"]
        url = page["next"]
    return [
        (
            hashlib.sha256(shop.fetch(image["f"]).content).hexdigest(),
            image["name"],
            image["alt_text"],
            image["order"],
            image["is_primary"],
        )
        for image in images
        if image["status"] == "ready"
    ]


@pytest.mark.torture("pictures that move over a broken network, by imports that are killed and stopped")
def test_pictures_that_come_over_a_broken_network_are_there_once_in_order_and_move_on_to_another_stack(
    system: State, shop: Shop, other_shop: Shop, tmp_path: Path, tried: Callable[[int], None]
) -> None:
    tried(PICTURES)
    product_ids = [new_product(system), new_product(system)]
    rows = ["product_id,file,alt_text,is_primary"]
    for number in range(PICTURES):
        picture = sample_jpeg(40 + number % 50, 40 + number // 50)
        # One is too large for the direct route; its copy loses what stands behind the end.
        (tmp_path / f"{number}.jpg").write_bytes(picture + bytes(4_600_000 if number == 1 else 0))
        rows.append(f"{product_ids[number % 2]},{number}.jpg,Text {number},{number in {4, 5}}")
    source = tmp_path / "pictures.csv"
    source.write_text("\n".join(rows))

    with broken_network(system.port, seed=1, cut_of_pieces=CUT_OF_PIECES) as network:
        assert stopped(network, source, system, signal.SIGKILL, "POST") == -signal.SIGKILL
        assert stopped(network, source, system, signal.SIGINT, "GET") == 130
        finished("import", source, network.url, system)
        assert network.cuts
        said = finished("import", source, network.url, system)
    assert said == f"Ready: 0; there already: {PICTURES:,}; failed: 0.\n"

    for product_id, first in zip(product_ids, (0, 1), strict=True):
        numbers = range(first, PICTURES, 2)
        assert [image[1:4] for image in shown(shop, product_id)] == [
            (f"{number}.jpg", f"Text {number}", place) for place, number in enumerate(numbers)
        ]
        assert [image[1] for image in shown(shop, product_id) if image[4]] == [f"{4 + first}.jpg"]

    backup = tmp_path / "backup"
    chosen = [option for product_id in product_ids for option in ("--product", str(product_id))]
    finished("export", backup, system.api_url, system, *chosen)
    for product_id in product_ids:
        client, resources = other_shop.state.endpoint.client, other_shop.state.resources
        DynamoProducts(client("dynamodb"), resources.table).add(product_id)
    finished("import", backup, other_shop.state.api_url, other_shop.state)
    for product_id in product_ids:
        assert shown(other_shop, product_id) == shown(shop, product_id)


def test_an_export_of_all_products_goes_on_where_it_was(other_shop: Shop, tmp_path: Path) -> None:
    # On a system whose files no other test takes away.
    shop, system = other_shop, other_shop.state
    product_id = new_product(system)
    names = [f"{number}.jpg" for number in range(3)]
    for name in names:
        shop.add(sample_jpeg(48, 32), name=name, product_id=product_id)
    finished("export", tmp_path / "all", system.api_url, system)
    files = sorted((tmp_path / "all" / str(product_id)).iterdir())
    assert len(files) == len(names)
    # As a kill leaves them: one file is half there, and one not at all.
    files[0].rename(files[0].with_suffix(".part"))
    files[1].unlink()
    kept = files[2].stat().st_mtime_ns
    finished("export", tmp_path / "all", system.api_url, system)
    assert sorted((tmp_path / "all" / str(product_id)).iterdir()) == files
    assert files[2].stat().st_mtime_ns == kept
    lines = (tmp_path / "all/images.csv").read_text().splitlines()
    assert [line.rpartition(",")[2] for line in lines if line.startswith(f"{product_id},")] == names
