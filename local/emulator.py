# /// script
# requires-python = "==3.13.*"
# dependencies = ["ministack==1.5.33"]
# ///
"""Runs the AWS emulator, guarded; an environment of its own, since it pins a botocore of its own.

`local.system` starts it with `uv run --script`; what it installs is pinned in `emulator.py.lock`.
"""

import importlib
import os
import sys
from pathlib import Path

# Beside this file lie modules with names that are too common to be found by them.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from local.guard import Guard, refusal_of_emulator  # noqa: E402 - found by the line before

if __name__ == "__main__":
    del sys.path[0]
    # Not for the functions, which inherit the environment.
    front_secret = os.environ.pop("FRONT_SECRET")
    ministack = importlib.import_module("ministack.app")
    ministack.app = Guard(ministack.app, refusal_of_emulator, front_secret)  # type: ignore[attr-defined]
    ministack.main()
