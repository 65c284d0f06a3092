"""The import against a service with the routes' contract: each picture once and in order, come what may."""

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from ops.failures import OperatorError
from ops.image_import.bring import Bringing, Tally
from ops.image_import.rows import Refused, read_source, write_failed
from ops.service import run
from tests.image_service import DAMAGED, FakeImageService, Fault
from tests.torture.results import size

PICTURES = size(2_000, 120, "pictures of an import with a broken network")


class KilledError(Exception):
    """The command ends without a word."""


def jpeg(number: int, more: int = 0) -> bytes:
    return b"\xff\xd8\xff" + f"picture {number}".encode() + bytes(more)


def write_csv(folder: Path, columns: str, *rows: str) -> Path:
    file = folder / "pictures.csv"
    file.write_text("\n".join((columns, *rows)) + "\n")
    return file


def files(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(jpeg(number))


def put_in(service: FakeImageService, source: Path, *, dry_run: bool = False) -> tuple[Tally, list[Refused]]:
    """Import, and return what became of the rows, and what was told."""
    wanted, tally, told = read_source(source), Tally(), list[Refused]()
    steps: list[int] = []

    async def bring() -> None:
        client = service.client()
        await Bringing(wanted, client, tally, service.sleep, tell=told.append, advance=steps.append).run(
            dry_run=dry_run
        )

    run(bring())
    assert sum(steps) == len(wanted.rows)
    return tally, told


def places(refused: Sequence[Refused]) -> list[str]:
    return [each.place for each in refused]


def test_the_rows_of_a_product_stand_in_the_order_of_the_file_with_what_they_say(tmp_path: Path) -> None:
    files(tmp_path, "c.jpg", "a.jpg", "b.jpg")
    source = write_csv(
        tmp_path,
        "product_id,file,alt_text,is_primary,name",
        "1,c.jpg,Front,,",
        "2,a.jpg,,,",
        "1,b.jpg,,yes,side.jpg",
        "1,a.jpg,Back,,",
    )
    service = FakeImageService({1, 2})
    tally, told = put_in(service, source)
    assert (tally.new, tally.there, told) == (4, 0, [])
    assert service.names(1) == ["c.jpg", "side.jpg", "a.jpg"]
    first, second, third = service.gallery(1)
    assert (first["alt_text"], first["is_primary"], second["is_primary"]) == ("Front", False, True)
    assert [each["order"] for each in (first, second, third)] == [0, 1, 2]
    assert {each["status"] for each in service.pictures.values()} == {"ready"}


def test_what_is_there_is_not_sent_again_even_after_a_day_or_under_another_name(tmp_path: Path) -> None:
    files(tmp_path, "a.jpg", "b.jpg")
    service = FakeImageService({1})
    put_in(service, write_csv(tmp_path, "product_id,file", "1,a.jpg"))
    service.forget_keys()
    (tmp_path / "again.jpg").write_bytes((tmp_path / "a.jpg").read_bytes())
    tally, _ = put_in(service, write_csv(tmp_path, "product_id,file", "1,again.jpg", "1,b.jpg", "1,b.jpg"))
    assert (tally.new, tally.there) == (1, 2)
    assert len(service.sent("POST", "/images")) == 2


def test_a_large_file_goes_to_the_store_with_a_form_and_without_the_key(tmp_path: Path) -> None:
    content = jpeg(1, 4_500_000)
    (tmp_path / "big.jpg").write_bytes(content)
    service = FakeImageService({1}, fault=lambda number: Fault.CUT_AFTER if number == 3 else None)
    tally, _ = put_in(service, write_csv(tmp_path, "product_id,file", "1,big.jpg"))
    [picture] = service.gallery(1)
    assert (tally.new, picture["sha256"]) == (1, hashlib.sha256(content).hexdigest())
    assert service.store_key == {""}


def test_a_row_with_an_address_is_fetched_by_the_service_once(tmp_path: Path) -> None:
    source = write_csv(
        tmp_path,
        "product_id,url,alt_text",
        "1,https://shop.example/a.jpg,Front",
        "1,https://shop.example/b.jpg,",
    )
    service = FakeImageService({1})
    tally, _ = put_in(service, source)
    assert tally.new == 2
    assert [each["alt_text"] for each in service.gallery(1)] == ["Front", ""]
    # After a day an address is only known by what was noted.
    service.forget_keys()
    tally, _ = put_in(service, source)
    assert (tally.new, tally.there, len(service.pictures)) == (0, 2, 2)


def test_an_address_that_failed_is_tried_again_and_its_failed_picture_goes(tmp_path: Path) -> None:
    url = "https://shop.example/a.jpg"
    source = write_csv(tmp_path, "product_id,url", f"1,{url}")
    service = FakeImageService({1}, broken_addresses={url})
    _, told = put_in(service, source)
    assert places(told) == ["line 2"]
    service.broken_addresses.clear()
    tally, told = put_in(service, source)
    assert (tally.new, told) == (1, [])
    assert [each["status"] for each in service.gallery(1)] == ["ready"]


@pytest.mark.parametrize("seed", range(4))
def test_each_picture_is_there_once_and_in_order_after_a_broken_network_and_two_kills(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    rows = []
    for number in range(PICTURES):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(number))
        rows.append(f"{1 + number % 3},{number}.jpg,Text {number}")
    source = write_csv(tmp_path, "product_id,file,alt_text", *rows)
    kills = {PICTURES // 2, 2 * PICTURES}

    def fault(number: int) -> Fault | None:
        if number in kills:
            raise KilledError
        return chance.choice(list(Fault)) if chance.random() < 0.2 else None

    service = FakeImageService({1, 2, 3}, fault=fault, looks_until_settled=2)
    for _ in range(2):
        with pytest.raises(KilledError):
            put_in(service, source)
        # Not always: of what was sent some is settled when the next run asks, and some is not.
        if seed % 2:
            service.settle_all()
    tally, told = put_in(service, source)
    assert (tally.new + tally.there, told) == (PICTURES, [])
    for product_id in (1, 2, 3):
        numbers = range(product_id - 1, PICTURES, 3)
        assert service.names(product_id) == [f"{number}.jpg" for number in numbers]
        assert [each["alt_text"] for each in service.gallery(product_id)] == [f"Text {n}" for n in numbers]
    assert {each["status"] for each in service.pictures.values()} == {"ready"}


def test_all_requests_wait_as_long_as_the_service_says(tmp_path: Path) -> None:
    files(tmp_path, "a.jpg")
    service = FakeImageService({1}, fault=lambda number: Fault.THROTTLED if number in {1, 2} else None)
    tally, _ = put_in(service, write_csv(tmp_path, "product_id,file", "1,a.jpg"))
    assert (tally.new, service.waits[:2]) == (1, [7.0, 7.0])


def test_a_service_that_cannot_be_reached_ends_the_import_and_says_what_to_do(tmp_path: Path) -> None:
    files(tmp_path, "a.jpg", "b.jpg")
    service = FakeImageService({1}, fault=lambda number: Fault.CUT_BEFORE if number > 1 else None)
    with pytest.raises(OperatorError, match="cannot be reached") as caught:
        put_in(service, write_csv(tmp_path, "product_id,file", "1,a.jpg", "1,b.jpg"))
    assert "give the same command again" in str(caught.value)
    assert sum(service.waits) > 100


def test_each_failure_is_told_by_line_and_written_as_rows_that_can_be_imported_again(tmp_path: Path) -> None:
    files(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "damaged.jpg").write_bytes(DAMAGED)
    (tmp_path / "text.jpg").write_bytes(b"No picture.")
    (tmp_path / "empty.jpg").touch()
    source = write_csv(
        tmp_path,
        "product_id,file,alt_text",
        "1,a.jpg,First",
        "1,damaged.jpg,Second",
        "1,text.jpg,",
        "1,gone.jpg,",
        "9,b.jpg,",
        "1,empty.jpg,",
        "1,b.jpg,Last",
    )
    service = FakeImageService({1})
    tally, told = put_in(service, source)
    assert tally.new == 2
    reasons = {each.place: each.reason for each in told}
    assert reasons.keys() == {f"line {line}" for line in (3, 4, 5, 6, 7)}
    assert reasons["line 3"].endswith("The file is damaged. Delete it, and import the row with another file.")
    assert "supported format" in reasons["line 4"]
    assert "is not there" in reasons["line 5"]
    assert reasons["line 6"].endswith("Add it: product-images products add 9")
    assert "is empty" in reasons["line 7"]
    # Mended, they take the places that they had in the first file.
    failed = read_source(source).failed_file
    write_failed(failed, told)
    for number, name in enumerate(("damaged.jpg", "text.jpg", "gone.jpg", "empty.jpg"), 10):
        (tmp_path / name).write_bytes(jpeg(number))
    service.products.add(9)
    tally, told = put_in(service, failed)
    assert (tally.new, told) == (5, [])
    ready = [each["name"] for each in service.gallery(1) if each["status"] == "ready"]
    assert ready == ["a.jpg", "damaged.jpg", "text.jpg", "gone.jpg", "empty.jpg", "b.jpg"]


def test_a_failed_picture_that_is_there_is_told_again_and_not_sent_again(tmp_path: Path) -> None:
    (tmp_path / "damaged.jpg").write_bytes(DAMAGED)
    service, source = FakeImageService({1}), write_csv(tmp_path, "product_id,file", "1,damaged.jpg")
    put_in(service, source)
    tally, told = put_in(service, source)
    assert (tally.new, tally.there, places(told)) == (0, 0, ["line 2"])
    assert "which failed. The file is damaged." in told[0].reason
    assert len(service.pictures) == 1


def test_a_picture_that_was_deleted_since_is_put_in_again(tmp_path: Path) -> None:
    files(tmp_path, "a.jpg")
    service, source = FakeImageService({1}), write_csv(tmp_path, "product_id,file", "1,a.jpg")
    put_in(service, source)
    service.pictures.clear()
    tally, told = put_in(service, source)
    assert (tally.new, told, service.names(1)) == (1, [], ["a.jpg"])


def test_a_dry_run_checks_files_and_products_and_sends_nothing(tmp_path: Path) -> None:
    files(tmp_path, "a.jpg", "b.jpg")
    service = FakeImageService({1})
    put_in(service, write_csv(tmp_path, "product_id,file", "1,a.jpg"))
    source = write_csv(tmp_path, "product_id,file", "1,a.jpg", "1,b.jpg", "9,b.jpg", "1,gone.jpg")
    tally, told = put_in(service, source, dry_run=True)
    assert (tally.new, tally.there, sorted(places(told))) == (1, 1, ["line 4", "line 5"])
    assert len(service.pictures) == 1


def test_of_many_pictures_eight_are_sent_at_once(tmp_path: Path) -> None:
    names = [f"{number}.jpg" for number in range(100)]
    files(tmp_path, *names)
    service = FakeImageService({1})
    tally, _ = put_in(service, write_csv(tmp_path, "product_id,file", *(f"1,{name}" for name in names)))
    # A file is open, and in memory piece by piece, as long as its request is under way.
    assert (tally.new, service.most_at_once) == (100, 8)
