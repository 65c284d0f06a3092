# /// script
# requires-python = "==3.13.*"
# dependencies = ["ministack==1.5.33"]
# ///
"""Runs the AWS emulator; an environment of its own, since it pins a botocore of its own.

`local.system` starts it with `uv run --script`; what it installs is pinned in `emulator.py.lock`.
"""

import runpy

if __name__ == "__main__":
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)
