"""The commands as an operator gives them: what they say, what they leave behind, and their exit codes."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ops.__main__ import app
from ops.image_import.rows import read_source
from tests.image_service import BASE_URL, DAMAGED, FakeImageService, Fault


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakeImageService:
    service = FakeImageService({1, 2, 3})
    monkeypatch.setenv("PRODUCT_IMAGES_URL", f"{BASE_URL}/")
    monkeypatch.setenv("PRODUCT_IMAGES_KEY", "key")
    for module in ("ops.image_import.command", "ops.image_export"):
        monkeypatch.setattr(f"{module}.service_at", service.at)
    return service


def runs(*command: str | Path) -> Result:
    return CliRunner().invoke(app, ["images", *map(str, command)])


def pictures(folder: Path, **content: bytes) -> Path:
    for name, each in content.items():
        (folder / f"{name}.jpg").write_bytes(each)
    file = folder / "pictures.csv"
    file.write_text("product_id,file\n" + "".join(f"1,{name}.jpg\n" for name in content))
    return file


def jpeg(number: int) -> bytes:
    return b"\xff\xd8\xff" + f"picture {number}".encode()


@pytest.mark.parametrize("missing", ["PRODUCT_IMAGES_URL", "PRODUCT_IMAGES_KEY"])
@pytest.mark.usefixtures("service")
def test_an_address_or_a_key_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv(missing)
    for command in (("import", pictures(tmp_path, a=jpeg(1))), ("export", tmp_path / "out")):
        done = runs(*command)
        assert done.exit_code == 1
        assert done.stderr.startswith(f"Error: Set {missing}: ")


def test_an_import_ends_with_what_became_of_all_and_leaves_nothing_behind(
    tmp_path: Path, service: FakeImageService
) -> None:
    source = pictures(tmp_path, a=jpeg(1), b=jpeg(2))
    done = runs("import", source, "--dry-run")
    assert (done.exit_code, done.stdout) == (0, "Nothing was sent. New: 2; there already: 0; failed: 0.\n")
    done = runs("import", source)
    assert (done.exit_code, done.stdout) == (0, "Ready: 2; there already: 0; failed: 0.\n")
    assert service.names(1) == ["a.jpg", "b.jpg"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.jpg", "b.jpg", "pictures.csv"]


def test_failures_are_written_beside_the_csv_until_there_are_none(
    tmp_path: Path, service: FakeImageService
) -> None:
    source = pictures(tmp_path, a=jpeg(1), b=DAMAGED)
    with source.open("a") as stream:
        stream.write("one,a.jpg\n")
    done = runs("import", source)
    assert (done.exit_code, done.stdout) == (1, "Ready: 1; there already: 0; failed: 2.\n")
    assert "Error: pictures.csv, line 4: product_id is 'one'." in done.stderr
    failed = read_source(source).failed_file
    assert str(failed) in done.stderr
    assert [line.split(",")[:2] for line in failed.read_text().splitlines()[1:]] == [
        ["one", "a.jpg"],
        ["1", "b.jpg"],
    ]
    source = pictures(tmp_path, a=jpeg(1), b=jpeg(2))
    assert runs("import", source).exit_code == 0
    assert not failed.exists()
    assert {each["status"] for each in service.pictures.values()} == {"ready", "failed"}


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_run_that_is_cut_short_leaves_what_is_told_of_earlier_failures(
    tmp_path: Path, service: FakeImageService, *, is_lost: bool
) -> None:
    source = pictures(tmp_path, a=jpeg(1), b=jpeg(2), c=DAMAGED)
    assert runs("import", source).exit_code == 1
    failed = read_source(source).failed_file
    before = failed.read_text()
    assert "c.jpg" in before
    with source.open("a") as stream:
        stream.write("one,a.jpg\n" if is_lost else "")

    def end(_number: int) -> Fault:
        if is_lost:
            return Fault.CUT_BEFORE
        raise KeyboardInterrupt

    service.fault = end
    done = runs("import", source)
    assert done.exit_code == (1 if is_lost else 130)
    assert failed.read_text() == before
    assert f"{failed} is left as it is until a run comes to its end." in done.stderr
    service.fault = lambda _number: None
    assert runs("import", source).exit_code == 1
    assert ("one,a.jpg" in failed.read_text()) is is_lost


def test_a_run_that_is_cut_short_writes_its_failures_where_none_are_written(
    tmp_path: Path, service: FakeImageService
) -> None:
    source = pictures(tmp_path, a=jpeg(1))
    with source.open("a") as stream:
        stream.write("one,a.jpg\n")
    service.fault = lambda _number: Fault.CUT_BEFORE
    assert runs("import", source).exit_code == 1
    assert "one,a.jpg" in read_source(source).failed_file.read_text()


def test_an_address_that_was_put_in_with_those_that_failed_is_not_put_in_again(
    tmp_path: Path, service: FakeImageService
) -> None:
    url = "https://shop.example/a.jpg"
    source = tmp_path / "pictures.csv"
    source.write_text(f"product_id,url\n1,{url}\n")
    service.broken_addresses.add(url)
    assert runs("import", source).exit_code == 1
    # Twice it is only what failed that is imported.
    failed = read_source(source).failed_file
    assert runs("import", failed).exit_code == 1
    service.broken_addresses.clear()
    assert runs("import", read_source(failed).failed_file).exit_code == 0
    service.forget_keys()
    done = runs("import", source)
    assert (done.exit_code, done.stdout) == (0, "Ready: 0; there already: 1; failed: 0.\n")
    assert [each["status"] for each in service.gallery(1)].count("ready") == 1


def test_ctrl_c_says_what_was_done_and_how_to_go_on(tmp_path: Path, service: FakeImageService) -> None:
    def interrupt(number: int) -> Fault | None:
        if number == 4:
            raise KeyboardInterrupt
        return None

    service.fault = interrupt
    source = pictures(tmp_path, a=jpeg(1), b=jpeg(2))
    done = runs("import", source)
    assert done.exit_code == 130
    assert done.stdout.startswith("Ready: ")
    assert done.stderr.endswith("Stopped. Give the same command again to go on.\n")
    assert runs("import", source).exit_code == 0
    assert service.names(1) == ["a.jpg", "b.jpg"]


def test_a_service_that_takes_no_requests_ends_the_import_with_what_was_done(
    tmp_path: Path, service: FakeImageService
) -> None:
    service.fault = lambda number: Fault.CUT_BEFORE if number > 1 else None
    done = runs("import", pictures(tmp_path, a=jpeg(1)))
    assert done.exit_code == 1
    assert done.stdout == "Ready: 0; there already: 0; failed: 0.\n"
    assert "cannot be reached" in done.stderr


def exported(folder: Path, service: FakeImageService) -> Path:
    """Put 130 pictures in, of which the second failed, and export them."""
    source = folder / "in"
    source.mkdir()
    contents = {f"p{number}": DAMAGED if number == 1 else jpeg(number) for number in range(130)}
    assert runs("import", pictures(source, **contents)).exit_code == 1
    for picture in service.pictures.values():
        # As people leave it: all of them where nobody said anything.
        picture["order"] = 0
    return folder / "out"


def test_an_export_is_a_folder_that_can_be_imported_into_another_stack(
    tmp_path: Path, service: FakeImageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = exported(tmp_path, service)
    done = runs("export", out)
    assert (done.exit_code, done.stdout) == (
        0,
        f"{out / 'images.csv'}: 129 images of 3 products; missing: 0.\n",
    )
    assert "Left out, since they are not ready: 1." in done.stderr
    other = FakeImageService({1})
    monkeypatch.setattr("ops.image_import.command.service_at", other.at)
    done = runs("import", out)
    assert (done.exit_code, done.stdout) == (0, "Ready: 129; there already: 0; failed: 0.\n")
    ready = [each for each in service.gallery(1) if each["status"] == "ready"]
    assert other.names(1) == [each["name"] for each in ready]
    assert [each["sha256"] for each in other.gallery(1)] == [each["sha256"] for each in ready]


def test_an_export_goes_on_where_it_was_and_has_a_list_only_once_it_is_whole(
    tmp_path: Path, service: FakeImageService
) -> None:
    out = exported(tmp_path, service)
    service.fault = lambda number: Fault.CUT_BEFORE if number > len(before) + 40 else None
    before = list(service.requests)
    assert "cannot be reached" in runs("export", out, "--product", "1").stderr
    assert not (out / "images.csv").exists()
    there = {each.name for each in (out / "1").iterdir() if each.suffix == ".jpg"}
    assert there
    service.fault = lambda _number: None
    service.requests.clear()
    assert runs("export", out, "--product", "1").exit_code == 0
    fetched = [each for each in service.requests if each.url.path.startswith("/media/")]
    assert len(fetched) == 129 - len(there)


def test_an_export_of_one_product_leaves_what_the_list_says_of_others(
    tmp_path: Path, service: FakeImageService
) -> None:
    source = tmp_path / "in"
    for product_id, number in (("1", 1), ("1", 2), ("2", 3), ("3", 4)):
        (source / product_id).mkdir(parents=True, exist_ok=True)
        (source / product_id / f"{number}.jpg").write_bytes(jpeg(number))
    assert runs("import", source).exit_code == 0
    out = tmp_path / "out"
    for product_ids, left in (("1",), 0), (("2", "3"), 2), (("2",), 3):
        options = [part for each in product_ids for part in ("--product", each)]
        done = runs("export", out, *options)
        assert done.exit_code == 0
        assert (f"Left in the list, images of other products: {left}." in done.stderr) is bool(left)
    rows = read_source(out).rows
    assert sorted((row.product_id, row.name) for row in rows) == [
        (1, "1.jpg"),
        (1, "2.jpg"),
        (2, "3.jpg"),
        (3, "4.jpg"),
    ]
    service.pictures.clear()
    assert runs("export", out, "--product", "1").exit_code == 0
    assert [row.product_id for row in read_source(out).rows] == [3, 2]
    assert runs("export", out).exit_code == 0
    assert read_source(out).rows == []


@pytest.mark.usefixtures("service")
def test_a_list_with_a_row_that_cannot_be_read_is_left_as_it_is(tmp_path: Path) -> None:
    there = tmp_path / "images.csv"
    there.write_text("product_id,file\nnine,9/1.jpg\n")
    done = runs("export", tmp_path, "--product", "1")
    assert done.exit_code == 1
    assert f"{there}, line 2: product_id is 'nine'." in done.stderr
    assert "Correct this row, or export into another folder." in done.stderr
    assert there.read_text() == "product_id,file\nnine,9/1.jpg\n"


def test_a_file_that_cannot_be_had_is_told_and_left_out(tmp_path: Path, service: FakeImageService) -> None:
    runs("import", pictures(tmp_path, a=jpeg(1), b=jpeg(2)))
    first = service.gallery(1)[0]
    first["f"] = first["f"].replace(str(first["id"]), str(next(iter(service.pictures))) + "0")
    service.pictures[int(first["f"].rpartition("/")[2])] = {"status": "pending", "product_id": 0}
    done = runs("export", tmp_path / "out", "--product", "1")
    assert done.exit_code == 1
    assert f"Product 1, image {first['id']}: pictures.example.com answered 403 Forbidden." in done.stderr
    assert "1 images of 1 products; missing: 1." in done.stdout
