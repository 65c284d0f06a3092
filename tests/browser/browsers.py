"""The browsers that the tests drive: those of this machine, or else the Chromium that npm brings.

Nothing here needs root. `python -m tests.browser.browsers` unpacks what is needed, and names what it found.
"""

import json
import platform
import shutil
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from local.template import ROOT
from tests.node import MODULES, run_node

NONE_FOUND = (
    "No browser: run `make browser`; where npm's Chromium does not run, install chromium or firefox-esr."
)

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FIREFOX = ("firefox-esr", "firefox")
_QUIET = (
    # What it would ask of the network beside the page. In a container there is no sandbox to be had; what it
    # opens is this project alone.
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
)
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""
_PACKAGE = MODULES / "@sparticuz/chromium"
_INFLATE = """
const [from, to] = process.argv.slice(1);
require("stream").pipeline(require("fs").createReadStream(from), require("zlib").createBrotliDecompress(),
  require("fs").createWriteStream(to), error => { if (error) throw error; });
"""


@dataclass(frozen=True, slots=True)
class InstalledBrowser:
    """A browser by the name that Playwright has for its kind, and how it is started."""

    kind: str
    path: Path
    channel: str | None = None
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the kind, for the names of tests."""
        return self.kind


def find_browsers() -> list[InstalledBrowser]:
    """Return a Chromium, and Firefox as well where it is installed; neither, if there is none."""
    chromium = _installed_chromium() or _playwrights_chromium() or _unpacked_chromium()
    firefox = _on_path(_FIREFOX)
    found = [chromium] if chromium else []
    return [*found, InstalledBrowser("firefox", firefox, "moz-firefox")] if firefox else found


def _on_path(names: tuple[str, ...]) -> Path | None:
    return next((Path(path) for path in map(shutil.which, names) if path), None)


def _installed_chromium() -> InstalledBrowser | None:
    path = _on_path(_CHROMIUM)
    return InstalledBrowser("chromium", path, None, _QUIET) if path else None


def _playwrights_chromium() -> InstalledBrowser | None:
    """Return the one that `playwright install chromium` downloads, if somebody did."""
    builds = (Path.home() / ".cache/ms-playwright").glob("chromium-*/chrome-linux*/chrome")
    path = max(builds, default=None)
    return InstalledBrowser("chromium", path, None, _QUIET) if path else None


def _unpacked_chromium() -> InstalledBrowser | None:
    folder = _unpacked_to()
    path = folder / "chromium"
    if not path.is_file():
        return None
    environment = {
        "LD_LIBRARY_PATH": str(folder / "lib"),
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
        # Without it, this browser finds no file whose name is not ASCII.
        "LC_ALL": "C.UTF-8",
    }
    return InstalledBrowser("chromium", path, None, _QUIET, environment)


def _unpacked_to() -> Path:
    lock = json.loads((ROOT / "page/package-lock.json").read_text())
    version = lock["packages"]["node_modules/@sparticuz/chromium"]["version"]
    return ROOT / f".build/chromium-{version}"


def unpack_chromium() -> None:
    """Unpack npm's Chromium, once, where it runs: what lies in the package is compressed by brotli."""
    target = _unpacked_to()
    if target.is_dir() or (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        whole = Path(folder) / "chromium"
        whole.mkdir()
        _inflate("chromium", whole / "chromium")
        (whole / "chromium").chmod(0o755)
        # The libraries that a bare machine lacks, and the fonts.
        for name in ("al2023.tar", "fonts.tar", "swiftshader.tar"):
            _inflate(name, Path(folder) / name)
            with tarfile.open(Path(folder) / name) as archive:
                archive.extractall(whole, filter="data")
        # Its own names another folder; without any font a text field ends the browser.
        (whole / "fonts.conf").write_text(_FONTS.format(fonts=target / "fonts", cache=target / "cache"))
        whole.rename(target)


def _inflate(name: str, target: Path) -> None:
    done = run_node("-e", _INFLATE, _PACKAGE / f"bin/{name}.br", target)
    if done.returncode:
        sys.exit(f"npm's Chromium cannot be unpacked: {done.stderr}")


def main() -> None:
    """Make sure of a browser, and name it; what runs without one goes on."""
    if not find_browsers():
        unpack_chromium()
    found = find_browsers()
    sys.stdout.write("".join(f"browser: {each.path}\n" for each in found) or f"{NONE_FOUND}\n")


if __name__ == "__main__":
    main()
