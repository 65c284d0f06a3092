"""Does what a command of the AWS command line does, as the runbook prints it, through the SDK."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from local.emulator_process import Endpoint
from local.template import ROOT

_SERVICES = {"s3api": "s3"}
"""What the command line calls otherwise than the SDK."""


def printed_commands(section: str) -> list[str]:
    """Return the `aws` commands that a section of the runbook prints, one after the other."""
    runbook = (ROOT / "docs" / "operate.md").read_text()
    (text,) = re.findall(rf"^#+ {re.escape(section)}\n(.*?)(?=^#|\Z)", runbook, re.MULTILINE | re.DOTALL)
    blocks = "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    inline = re.findall(r"`(aws [^`]+)`", re.sub(r"```sh\n.*?```", "", text, flags=re.DOTALL))
    return [*blocks.replace("\\\n", " ").splitlines(), *(" ".join(each.split()) for each in inline)]


def run_aws(endpoint: Endpoint, command: str, folder: Path, **values: object) -> dict[str, Any]:
    """Run a printed command with `values` in the place of its `<names>`, in `folder`; return the answer."""
    filled = re.sub(r"<([\w ]+)>", lambda name: str(values[name[1].replace(" ", "_")]), command)
    program, service, operation, *words = shlex.split(filled)
    assert program == "aws", command
    client: Any = endpoint.client(_SERVICES.get(service, service))  # type: ignore[call-overload]
    method = operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    members = {f"--{_dashed(name)}": (name, member.type_name) for name, member in shape.members.items()}
    sent, files = {}, []
    while words:
        word = words.pop(0)
        if word not in members:
            files.append(word)
            continue
        name, kind = members[word]
        sent[name] = json.loads(words.pop(0)) if kind in {"map", "structure", "list"} else words.pop(0)
    answer: dict[str, Any] = getattr(client, method)(**sent)
    for file in files:
        (folder / file).write_bytes(answer["Body"].read())
    return answer


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
