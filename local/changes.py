"""What has changed since the local system was deployed, by content, and what a change would cost."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from local import template
from local.parameters import variable_name
from local.template import ROOT, Template

_HOLDS_DATA: Final = {
    "AWS::DynamoDB::Table": ("KeySchema", "LocalSecondaryIndexes", "TableName"),
    "AWS::S3::Bucket": ("BucketName",),
}
"""Types of resources that hold data, with the properties whose change makes a new, empty one.

As the CloudFormation template reference says of each: "Update requires: Replacement".
"""


class Deployed(BaseModel):
    """All that a deployment depends on: SHA-256 hashes of contents, and the parameters that a person set."""

    model_config = ConfigDict(frozen=True)

    packages: dict[str, str]
    template: str
    parameters: dict[str, str]
    front: str
    emulator: str

    @classmethod
    def from_files(cls, packages: Mapping[str, Path], parameters: Mapping[str, str]) -> "Deployed":
        """Read what a deployment of the built `packages` would depend on now."""
        local = ROOT / "local"
        return cls(
            packages={logical_id: package_hash(folder) for logical_id, folder in packages.items()},
            template=_hash_of(template.TEMPLATE.parent, [template.TEMPLATE]),
            parameters=dict(parameters),
            front=_hash_of(local, local.rglob("*.py")),
            emulator=_hash_of(local, [local / "emulator.py", local / "emulator.py.lock", local / "guard.py"]),
        )

    def changes_to(self, wanted: "Deployed") -> "Changes":
        """Return what must be done so that `wanted` is deployed."""
        both = self.parameters.keys() | wanted.parameters.keys()
        packages = tuple(name for name, has in wanted.packages.items() if has != self.packages.get(name))
        return Changes(
            packages=packages,
            all_functions=len(packages) - len(_layers(packages))
            == len(wanted.packages) - len(_layers(wanted.packages)),
            template=self.template != wanted.template,
            parameters=tuple(
                f"{variable_name(name)}={wanted.parameters.get(name, '')}"
                for name in sorted(both)
                if self.parameters.get(name) != wanted.parameters.get(name)
            ),
            front=self.front != wanted.front,
            emulator=self.emulator != wanted.emulator,
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two deployments; packages by logical id, parameters as `NAME=value`."""

    packages: tuple[str, ...]
    all_functions: bool
    template: bool
    parameters: tuple[str, ...]
    front: bool
    emulator: bool

    @property
    def of_stack(self) -> bool:
        """Tell whether the stack must be updated."""
        return bool(self.packages or self.template or self.parameters)

    @property
    def only_of_functions(self) -> bool:
        """Tell whether of the stack nothing but the code of functions has changed."""
        return not (self.template or self.parameters or _layers(self.packages))

    @property
    def of_front(self) -> bool:
        """Tell whether the front must start again; it reads the template's answers when it starts."""
        return self.front or self.template or bool(self.parameters)

    def describe(self) -> str:
        """Name what was deployed, for a person; nothing, if that was nothing."""
        packages = ["all functions", *_layers(self.packages)] if self.all_functions else self.packages
        template = ["template.yaml"] if self.template else []
        front = ["the front"] if self.front else []
        return ", ".join([*packages, *template, *self.parameters, *front])


def package_hash(folder: Path) -> str:
    """Return the SHA-256 of a package's files and their names; of compiled modules the source counts."""
    return _hash_of(folder, (path for path in folder.rglob("*") if "__pycache__" not in path.parts))


def lost_data(before: Template, after: Template) -> list[str]:
    """Return the logical ids of tables and buckets that an update would leave behind or make anew."""
    lost = []
    for name, resource in before["Resources"].items():
        properties = _HOLDS_DATA.get(resource["Type"])
        if properties is None:
            continue
        other = after["Resources"].get(name)
        if (
            other is None
            or other["Type"] != resource["Type"]
            or any(resource["Properties"].get(key) != other["Properties"].get(key) for key in properties)
        ):
            lost.append(name)
    return lost


def _layers(packages: Iterable[str]) -> list[str]:
    return [logical_id for logical_id in packages if logical_id.endswith("Layer")]


def _hash_of(folder: Path, paths: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).digest()
        whole.update(f"{path.relative_to(folder)}\0".encode() + content)
    return whole.hexdigest()
