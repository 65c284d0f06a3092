"""Pictures on their way: in order, with true progress, by both routes, on a bad network."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, CDPSession, Page, Route, expect

from local.sample import sample_jpeg
from local.system import wait_until
from tests.browser.staff import Staff, pictures

PROBLEM = "application/problem+json"


SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 500_000}


def on_a_slow_line(context: BrowserContext, page: Page, folder: Path) -> tuple[CDPSession, Path]:
    """Let a page's uploads take their time; return its network, and what takes seconds."""
    file = folder / "slow.jpg"
    file.write_bytes(sample_jpeg(64, 48).ljust(1_000_000, b"\0"))
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW)
    return line, file


def large(folder: Path) -> Path:
    """Make a picture that no direct upload takes."""
    path = folder / "large.jpg"
    # What stands behind the end of a picture is no part of it, and is not looked at.
    path.write_bytes(sample_jpeg(64, 48).ljust(4_600_000, b"\0"))
    return path


def test_progress_is_true_on_a_slow_line_and_nothing_is_done_before_its_answer(
    staff: Staff, product_id: int, tmp_path: Path, context: BrowserContext
) -> None:
    staff.open(product_id)
    _, file = on_a_slow_line(context, staff.page, tmp_path)
    seen: list[str] = []
    staff.page.expose_function("noteState", lambda state: seen.append(state))  # noqa: PLW0108 - no builtin
    staff.page.evaluate("""new MutationObserver(() => {
        const state = document.querySelector(".queue .state")?.textContent;
        if (state && state !== window.before) noteState(window.before = state);
    }).observe(document.body, {subtree: true, childList: true, characterData: true})""")
    staff.choose([file])
    staff.ready(1)
    percents = [int(each.removesuffix(" %")) for each in seen if each.endswith(" %")]
    assert percents == sorted(percents)
    assert any(0 < each < 100 for each in percents), seen
    said = [each for each in seen if not each.endswith(" %")]
    assert said.index("Sent, awaiting the answer") < said.index("Being checked")


@pytest.mark.every_browser
def test_a_large_file_goes_to_the_bucket_by_itself(staff: Staff, product_id: int, tmp_path: Path) -> None:
    staff.open(product_id)
    files = [*pictures(tmp_path, 1), large(tmp_path)]
    staff.choose(files)
    staff.ready(2)
    assert [image.name for image in staff.shop.gallery(product_id)] == ["00.jpg", "large.jpg"]


def test_a_broken_picture_says_why_and_stays_until_it_is_dealt_with(
    staff: Staff, product_id: int, tmp_path: Path
) -> None:
    staff.open(product_id)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(sample_jpeg(64, 48)[:-300])
    staff.choose([broken])
    line = staff.line("broken.jpg")
    expect(line).to_contain_text("Failed:", timeout=60_000)
    failed = staff.shop.gallery(product_id)[0].error
    assert failed
    expect(line).to_contain_text(failed)
    expect(staff.cards.first.locator(".frame")).to_contain_text("broken.jpg")
    line.get_by_role("button", name="Try again: broken.jpg").click()
    expect(line).to_contain_text("Being checked")
    expect(line).to_contain_text("Failed:", timeout=60_000)
    assert len(staff.stored(product_id)) == 1


def test_all_that_failed_are_tried_again_at_once(staff: Staff, product_id: int, tmp_path: Path) -> None:
    staff.open(product_id)
    body = '{"status": 403, "code": "forbidden", "detail": "Not now."}'

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=403, content_type=PROBLEM, body=body)
        else:
            route.fallback()

    staff.page.route("**/images", refuse)
    files = pictures(tmp_path, 2)
    staff.choose(files)
    expect(staff.summary).to_contain_text("0 of 2 ready, 2 failed")
    staff.page.unroute("**/images", refuse)
    staff.page.get_by_role("button", name="Try all failed ones again").click()
    staff.ready(2)
    assert [image.name for image in staff.shop.gallery(product_id)] == [path.name for path in files]


def test_what_is_no_picture_is_refused_in_the_words_of_the_service(
    staff: Staff, product_id: int, tmp_path: Path
) -> None:
    staff.open(product_id)
    disguised = tmp_path / "letter.jpg"
    disguised.write_text("Dear shop")
    staff.choose([disguised])
    expect(staff.line("letter.jpg")).to_contain_text("JPEG, PNG, WEBP", ignore_case=True)
    assert staff.stored(product_id) == []


def test_heic_that_the_browser_cannot_open_is_not_sent_and_says_what_to_do(
    staff: Staff, product_id: int, tmp_path: Path
) -> None:
    staff.open(product_id)
    heic = tmp_path / "IMG_1.HEIC"
    heic.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    staff.choose([heic])
    expect(staff.line("IMG_1.HEIC")).to_contain_text("Most Compatible")
    assert staff.stored(product_id) == []


def test_heic_that_the_browser_can_open_becomes_a_jpeg(staff: Staff, product_id: int, tmp_path: Path) -> None:
    staff.open(product_id)
    # This browser opens it by its content, as Safari does HEIC.
    opened = tmp_path / "IMG_2.heic"
    opened.write_bytes(sample_jpeg(64, 48))
    staff.choose([opened])
    staff.ready(1)
    [image] = staff.shop.gallery(product_id)
    assert (image.name, image.type, image.width, image.height) == ("IMG_2.jpg", "JPEG", 64, 48)


@pytest.mark.parametrize(("status", "code"), [(429, "throttled"), (503, "outcome_unknown")])
def test_a_busy_service_is_asked_again_when_it_says(
    staff: Staff, product_id: int, tmp_path: Path, status: int, code: str
) -> None:
    staff.open(product_id)
    keys: list[str | None] = []

    def answer(route: Route) -> None:
        if route.request.method != "POST":
            route.fallback()
            return
        keys.append(route.request.header_value("Idempotency-Key"))
        if len(keys) > 1:
            route.continue_()
            return
        body = f'{{"status": {status}, "code": "{code}", "detail": "Wait."}}'
        route.fulfill(status=status, content_type=PROBLEM, headers={"Retry-After": "2"}, body=body)

    staff.page.route("**/images", answer)
    staff.choose(pictures(tmp_path, 1))
    expect(staff.line("00.jpg")).to_contain_text("The service is busy. Next try in")
    staff.ready(1)
    assert len(staff.stored(product_id)) == 1
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_file_that_is_too_large_for_the_direct_route_goes_by_the_form(
    staff: Staff, product_id: int, tmp_path: Path
) -> None:
    staff.open(product_id)
    refused: list[str] = []

    def answer(route: Route) -> None:
        if route.request.method != "POST":
            route.fallback()
            return
        refused.append(route.request.url)
        body = '{"status": 413, "code": "file_too_large", "detail": "Ask for an upload form."}'
        route.fulfill(status=413, content_type=PROBLEM, body=body)

    staff.page.route("**/images", answer)
    staff.choose(pictures(tmp_path, 1))
    staff.ready(1)
    assert len(staff.stored(product_id)) == 1
    assert len(refused) == 1


@pytest.mark.every_browser
def test_a_lost_answer_makes_no_second_picture(staff: Staff, product_id: int, tmp_path: Path) -> None:
    staff.open(product_id)
    staff.lose_one_answer()
    staff.choose(pictures(tmp_path, 1))
    expect(staff.line("00.jpg")).to_contain_text("No connection")
    staff.ready(1)
    assert len(staff.stored(product_id)) == 1


def test_a_network_that_goes_in_the_middle_is_waited_for(
    staff: Staff, product_id: int, tmp_path: Path, context: BrowserContext
) -> None:
    staff.open(product_id)
    context.set_offline(True)
    files = pictures(tmp_path, 5)
    staff.choose(files)
    expect(staff.line("00.jpg")).to_contain_text("No connection. It goes on by itself.")
    context.set_offline(False)
    staff.ready(5)
    assert [image.name for image in staff.shop.gallery(product_id)] == [path.name for path in files]


def test_a_network_that_goes_at_the_first_percent_on_a_slow_line_is_waited_for(
    staff: Staff, product_id: int, tmp_path: Path, context: BrowserContext
) -> None:
    staff.open(product_id)
    line, file = on_a_slow_line(context, staff.page, tmp_path)
    # A browser that is told to be offline ends what it is sending, at full speed.
    staff.cut_one_upload()
    staff.choose([file])
    expect(staff.line("slow.jpg")).to_contain_text("No connection. It goes on by itself.", timeout=30_000)
    line.send("Network.emulateNetworkConditions", {**SLOW, "offline": True})
    expect(staff.line("slow.jpg").get_by_role("progressbar")).to_have_js_property("value", 0)
    expect(staff.line("slow.jpg")).to_contain_text("No connection. It goes on by itself.")
    assert staff.stored(product_id) == []
    line.send("Network.emulateNetworkConditions", {**SLOW, "uploadThroughput": -1})
    staff.ready(1)
    assert [image.name for image in staff.shop.gallery(product_id)] == ["slow.jpg"]


def test_a_key_that_ends_in_the_middle_is_asked_for_and_the_queue_goes_on(
    staff: Staff, product_id: int, tmp_path: Path
) -> None:
    staff.open(product_id)
    ended = f"**/products/{product_id}/images**"
    refused = lambda route: route.fulfill(status=401, content_type=PROBLEM, body='{"code": "unauthorized"}')  # noqa: E731
    staff.page.route(ended, refused)
    files = pictures(tmp_path, 5)
    staff.choose(files)
    dialog = staff.page.get_by_role("dialog", name="Sign in")
    expect(dialog).to_contain_text("nothing in the queue is lost")
    staff.page.unroute(ended)
    staff.sign_in()
    expect(dialog).to_be_hidden()
    staff.ready(5)
    assert [image.name for image in staff.shop.gallery(product_id)] == [path.name for path in files]


def test_a_form_that_expired_is_followed_by_a_new_one_and_one_picture(
    staff: Staff, product_id: int, tmp_path: Path
) -> None:
    staff.open(product_id)
    expired: list[str] = []

    def answer(route: Route) -> None:
        if route.request.method == "POST" and not expired:
            expired.append(route.request.url)
            error = "<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>"
            headers = {"Access-Control-Allow-Origin": "*"}
            route.fulfill(status=403, content_type="application/xml", headers=headers, body=error)
            return
        route.continue_()

    staff.page.route(f"{staff.shop.state.aws.endpoint_url}/**", answer)
    staff.choose([large(tmp_path)])
    staff.ready(1)
    assert len(expired) == 1
    assert [image.status for image in staff.shop.gallery(product_id)] == ["ready"]


def test_a_file_beyond_the_limit_is_refused_with_the_reason(
    staff: Staff, product_id: int, tmp_path: Path
) -> None:
    staff.open(product_id)
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(50_000_001)
    staff.choose([huge])
    expect(staff.line("huge.jpg")).to_contain_text("Failed:")
    expect(staff.line("huge.jpg")).to_contain_text("at most 50,000,000")


def test_leaving_with_files_on_their_way_asks_first(
    staff: Staff, product_id: int, tmp_path: Path, context: BrowserContext
) -> None:
    staff.open(product_id)
    context.set_offline(True)
    staff.choose(pictures(tmp_path, 1))
    expect(staff.line("00.jpg")).to_contain_text("No connection")
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    staff.page.on("dialog", stay)
    staff.page.close(run_before_unload=True)
    staff.page.wait_for_timeout(0)
    expect(staff.line("00.jpg")).to_be_visible()
    assert asked == ["beforeunload"]
    context.set_offline(False)
    staff.ready(1)


def leave_unsent(staff: Staff, files: Sequence[Path]) -> None:
    """Load the page again while the first file, a large one, cannot be sent, and all others are ready."""
    page = staff.page
    bucket = f"{staff.shop.state.aws.endpoint_url}/**"
    page.route(bucket, lambda route: route.abort())
    staff.choose(files)
    expect(staff.line(files[0].name)).to_contain_text("No connection", timeout=30_000)
    for path in files[1:]:
        expect(staff.line(path.name)).to_contain_text("Ready")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.unroute(bucket)
    expect(page.get_by_text("Begun before this page was loaded")).to_be_visible()


def test_what_was_reserved_and_never_sent_can_be_removed_after_a_reload(
    staff: Staff, product_id: int, tmp_path: Path, page: Page
) -> None:
    staff.open(product_id)
    leave_unsent(staff, [large(tmp_path)])
    staff.line("large.jpg").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Begun before this page was loaded")).to_be_hidden()
    expect(staff.cards).to_have_count(0)
    assert staff.stored(product_id) == []


def test_what_was_reserved_and_never_sent_is_told_after_a_reload_and_sent_again_to_its_place(
    staff: Staff, product_id: int, tmp_path: Path, page: Page
) -> None:
    staff.open(product_id)
    file = large(tmp_path)
    leave_unsent(staff, [file, *pictures(tmp_path, 1)])
    page.get_by_label("Choose the file again").set_input_files(file)
    staff.ready(1)
    expect(staff.cards).to_have_count(2)
    stands = [(image.name, image.status) for image in staff.shop.gallery(product_id)]
    assert stands == [("large.jpg", "ready"), ("00.jpg", "ready")]


@pytest.mark.every_browser
def test_a_pasted_picture_is_added(staff: Staff, product_id: int) -> None:
    staff.open(product_id)
    staff.page.evaluate(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "pasted.jpg", {type: "image/jpeg"}));
            dispatchEvent(new ClipboardEvent("paste", {clipboardData: transfer}));
        }""",
        [*sample_jpeg(48, 32)],
    )
    staff.ready(1)
    assert [image.name for image in staff.shop.gallery(product_id)] == ["pasted.jpg"]


@pytest.mark.every_browser
def test_files_dropped_beside_everything_are_added_and_the_page_stays(
    staff: Staff, product_id: int, tmp_path: Path
) -> None:
    staff.open(product_id)
    picture, note = tmp_path / "dropped.jpg", tmp_path / "notes.txt"
    picture.write_bytes(sample_jpeg(48, 32))
    note.write_text("text")
    staff.drop([picture, note])
    said = staff.page.get_by_role("alert")
    expect(said).to_contain_text("Left out, as they are no images: \u2068notes.txt\u2069.")
    staff.ready(1)
    assert [image.name for image in staff.shop.gallery(product_id)] == ["dropped.jpg"]


def test_a_folder_is_added_whole(staff: Staff, product_id: int, tmp_path: Path) -> None:
    staff.open(product_id)
    for number, path in zip((11, 9, 10), pictures(tmp_path, 3), strict=True):
        path.rename(tmp_path / f"{number}.jpg")
    (tmp_path / ".hidden.jpg").write_bytes(b"no")
    staff.page.get_by_label("Choose a folder").set_input_files(tmp_path)
    expect(staff.page.get_by_role("alert")).to_contain_text("as they are hidden: \u2068.hidden.jpg\u2069.")
    staff.ready(3)
    assert [image.name for image in staff.shop.gallery(product_id)] == ["9.jpg", "10.jpg", "11.jpg"]


def test_a_picture_that_stays_pending_for_two_minutes_is_shown_so_and_then_ready(
    staff: Staff, product_id: int, tmp_path: Path
) -> None:
    staff.open(product_id)
    staff.page.clock.install()
    line = staff.line("00.jpg")
    with staff.shop.events_lost():
        staff.choose(pictures(tmp_path, 1))
        expect(line).to_contain_text("Being checked")
        for _ in range(12):
            staff.page.clock.run_for(10_000)
        expect(line).to_contain_text("Being checked")
        [pending] = staff.shop.gallery(product_id)
    record = staff.shop.state.catalog.look_up(product_id, pending.id)
    staff.shop.invoke_metadata(record.image.ref.incoming_key)

    def look() -> bool | None:
        staff.page.clock.run_for(10_000)
        return line.get_by_text("Ready").is_visible() or None

    wait_until(look, "the picture to be shown as ready")


def test_previews_of_200_pictures_of_12_megapixels_take_less_than_700_mb(
    staff: Staff, product_id: int, tmp_path: Path, context: BrowserContext
) -> None:
    staff.open(product_id)
    context.set_offline(True)
    Image.new("RGB", (4_000, 3_000), (200, 120, 40)).save(tmp_path / "000.jpg", quality=60)
    for number in range(1, 200):
        (tmp_path / f"{number:03}.jpg").hardlink_to(tmp_path / "000.jpg")
    staff.choose(sorted(tmp_path.glob("*.jpg")))
    previews = staff.page.locator(".queue .thumb img")
    taken: list[int] = []

    def look() -> bool | None:
        taken.append(_browser_bytes())
        return previews.count() == 200 or None

    wait_until(look, "200 previews", seconds=240)
    assert min(taken) > 50_000_000, "its processes were not found"
    assert max(taken) < 700_000_000, f"{max(taken):,} bytes"


def _browser_bytes() -> int:
    """Return the memory of all processes of this test's browser, what they share counted once."""
    found = 0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "chrom" in process.name():
                found += process.memory_full_info().pss
    return found
