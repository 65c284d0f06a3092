"""`python -m openapi`: writes docs/openapi.json."""

import sys

from openapi.document import PATH, render

if __name__ == "__main__":
    PATH.write_text(render())
    sys.stdout.write(f"wrote {PATH.relative_to(PATH.parent.parent)}\n")
