"""The whole system on this machine: no AWS account, no Docker, the real template."""
