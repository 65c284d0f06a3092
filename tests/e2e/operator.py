"""An operator at the deployed system, who runs commands of `product-images`."""

import json
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner, Result

from domain.image import ImageRef
from local.system import wait_until
from ops.__main__ import app


@dataclass(frozen=True, slots=True)
class Operator:
    """Works on the local system whose files lie where the variable LOCAL_FOLDER says."""

    def runs(self, *command: str) -> Result:
        """Run a command to its end, whatever comes of it."""
        return CliRunner().invoke(app, [*command, "--local"])

    def succeeds(self, *command: str) -> str:
        """Run a command that must succeed; return its results."""
        done = self.runs(*command)
        assert done.exit_code == 0, done.output
        return done.stdout

    def audits(self) -> str:
        """Return what an audit finds amiss in the whole system."""
        return self.runs("repair", "audit").stderr

    def failed_event(self, ref: ImageRef) -> dict[str, Any]:
        """Wait for the event about a picture in the failure queue, and return it as it is listed."""

        def look() -> dict[str, Any] | None:
            events = json.loads(self.succeeds("repair", "queue", "--json"))
            return next((event for event in events if ref.incoming_key in event["pictures"]), None)

        return wait_until(look, f"event about {ref.incoming_key} in the failure queue", seconds=60)
