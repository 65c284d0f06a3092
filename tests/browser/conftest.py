"""A browser for the tests of this folder, and a page of it for each of them."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from local.template import ROOT
from tests.browser.browsers import NONE_FOUND, InstalledBrowser, find_browsers
from tests.browser.staff import Staff
from tests.e2e.shop import Shop

_FOLDER = Path(__file__).parent
_FOUND: list[InstalledBrowser | None] = [*find_browsers()]
_SHOTS = ROOT / ".build/browser"
"""How tests that failed left the page, to be looked at."""
_FAILED = pytest.StashKey[bool]()
_WITHOUT = "test_a_browser_is_there"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where there is no browser, fail once and say so, instead of once for each test."""
    here = [item for item in items if item.path.is_relative_to(_FOLDER)]
    if _FOUND or not here:
        return
    left_out = [item for item in here if item.name != _WITHOUT]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the fixtures of a test that it failed."""
    report = yield
    item.stash[_FAILED] = report.failed
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test in the first browser that there is; one that is marked so, in each."""
    if "browser" in metafunc.fixturenames:
        every = metafunc.definition.get_closest_marker("every_browser")
        chosen = _FOUND if every else _FOUND[:1]
        metafunc.parametrize("browser", chosen or [None], indirect=True, ids=str, scope="package")


# Of this package, not of the session: while Playwright runs, its event loop does, in which nobody else could
# start one of his own.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright, request: pytest.FixtureRequest) -> Iterator[Browser]:
    installed: InstalledBrowser | None = request.param
    if installed is None:
        pytest.fail(NONE_FOUND, pytrace=False)
    browser = getattr(playwright, installed.kind).launch(
        executable_path=installed.path,
        channel=installed.channel,
        args=installed.arguments,
        env=installed.environment or None,
    )
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A window of its own: no other test's storage, English as its language."""
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(20_000)
    yield context
    # What a test answers in the server's place may still be on its way.
    for page in context.pages:
        page.unroute_all(behavior="ignoreErrors")
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def staff(page: Page, shop: Shop, request: pytest.FixtureRequest) -> Iterator[Staff]:
    """A member of staff; the page must not fail by itself, nor try what its policy forbids."""
    faults: list[str] = []
    staff = Staff(page, shop, faults)
    yield staff
    # Before a picture is taken, for which Firefox is given a style that the page's policy refuses.
    found = ([*faults], staff.violations())
    if request.node.stash[_FAILED]:
        _SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=_SHOTS / f"{request.node.name}.png")
    assert found == ([], [])
