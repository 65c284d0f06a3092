"""The local system as a whole: starts its parts, fills it with something to try, ends it."""

import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.dynamo_image_catalog import DynamoImageCatalog
from domain.image import ImageStatus, ProductImage
from local.background_process import BackgroundProcess, LocalSystemError
from local.changes import Changes, Deployed
from local.deployment import FUNCTIONS, Deployment, built_packages, create_stack, update_stack
from local.emulator_process import (
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    Endpoint,
    hold_port,
    start_emulator,
)
from local.first_data import add_products, issue_keys
from local.front import FrontSettings
from local.parameters import merge
from local.template import REGION

GATEWAY_LOG, EMULATOR_LOG = "gateway.log", "emulator.log"
API_KEY = "api-key"
"""A file with the key of a member of staff and nothing else, for examples to read."""
_FILES = (
    *("state.json", "processes.json", "deployed.json", "front.json"),
    *(EMULATOR_LOG, "front.log", GATEWAY_LOG, "sample.jpg", API_KEY),
)

type Report = Callable[[str], None]


class Aws(BaseModel):
    """How to reach the emulator with an AWS SDK."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str


class Resources(BaseModel):
    """What the stack made."""

    bucket: str
    table: str
    keys_table: str
    failure_queue: str
    functions: dict[str, str]


class State(BaseModel):
    """All that a person or a test needs to use the running system; written to `state.json`."""

    model_config = ConfigDict(frozen=True)

    api_url: str
    keys: dict[str, str]
    products: list[int]
    aws: Aws
    resources: Resources

    @property
    def port(self) -> int:
        """Where the front listens."""
        return int(self.api_url.rpartition(":")[2])

    @property
    def endpoint(self) -> Endpoint:
        """The emulator's endpoint."""
        return Endpoint(self.aws.endpoint_url)

    @property
    def catalog(self) -> DynamoImageCatalog:
        """The catalogue, as the functions see it."""
        return DynamoImageCatalog(self.endpoint.client("dynamodb"), self.resources.table)

    def finished(self, product_id: int, image_id: int) -> ProductImage:
        """Wait until the picture is no longer pending, and return its record."""
        catalog = self.catalog

        def look() -> ProductImage | None:
            image = catalog.get(product_id, image_id)
            return image if image and image.status is not ImageStatus.PENDING else None

        return wait_until(look, f"result for image {image_id}")


class Processes(BaseModel):
    """What must be ended and deleted; written to `processes.json` as soon as something runs."""

    emulator: BackgroundProcess
    emulator_folder: str
    front_secret: str
    front: BackgroundProcess | None = None


class LocalSystem:
    """One system with its files in `folder`, its front on `port` (0: any that is free)."""

    def __init__(
        self, folder: Path, port: int, report: Report, parameters: Mapping[str, str] | None = None
    ) -> None:
        """Start with the template's own defaults, but for `parameters`."""
        self._folder = folder
        self._port = port
        self._report = report
        self._parameters = parameters or {}

    def running(self) -> State | None:
        """Return the state of the system if it is up; an update starts a front that has ended."""
        processes = self._processes()
        state = self._folder / "state.json"
        if processes is None or not processes.emulator.is_alive() or not state.is_file():
            return None
        return State.model_validate_json(state.read_text())

    def require_free_port(self) -> None:
        """Look at the port before anything takes long; what is left of an earlier start ends first.

        Raises:
            LocalSystemError: the port is taken.

        """
        self.stop()
        hold_port(self._port).close()

    def start(self) -> State:
        """Start everything and return what is needed to use it; a failed start leaves nothing running.

        Raises:
            LocalSystemError: the port is taken, or a step failed.

        """
        self.stop()
        with hold_port(self._port) as front_port:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                return self._start(front_port)
            except BaseException:
                self._end_processes()
                raise

    def update(self, state: State, named: Mapping[str, str | None]) -> Changes:
        """Deploy what has changed since the running system was deployed, `named` parameters included.

        Raises:
            LocalSystemError: data would be lost, or a step failed; what ran before goes on running.

        """
        before = self._deployed()
        wanted = Deployed.from_files(built_packages(), merge(before.parameters, named))
        changes = before.changes_to(wanted)
        if changes.of_stack:
            self._report("Updating the stack")
            parameters = _with_base_url(wanted.parameters, state.port)
            deployment = update_stack(
                state.endpoint, parameters, wanted.packages, only_functions=changes.only_of_functions
            )
            self._write(
                "front.json", self._front_settings(state.port, state.endpoint, deployment, parameters)
            )
            self._write("state.json", state.model_copy(update={"resources": _resources(deployment)}))
        if changes.of_front or not self._front_is_alive():
            self._report("Starting the front again")
            self._end_front()
            self._start_front(state.port)
        self._write("deployed.json", wanted)
        return changes

    def stop(self) -> bool:
        """End what runs and delete its files, and nothing else; return whether anything ran."""
        ended = self._end_processes()
        for name in _FILES:
            (self._folder / name).unlink(missing_ok=True)
        # A folder that holds something else stays.
        with suppress(OSError):
            self._folder.rmdir()
        return ended

    def _start(self, front_port: socket.socket) -> State:
        port: int = front_port.getsockname()[1]
        deployed = Deployed.from_files(built_packages(), self._parameters)
        self._report("Starting the AWS emulator")
        emulator = start_emulator(self._folder / EMULATOR_LOG)
        processes = Processes(
            emulator=emulator.process,
            emulator_folder=str(emulator.folder),
            front_secret=emulator.front_secret,
        )
        self._write("processes.json", processes)
        self._report("Deploying template.yaml")
        parameters = _with_base_url(self._parameters, port)
        deployment = create_stack(emulator.endpoint, parameters, deployed.packages)
        self._write("front.json", self._front_settings(port, emulator.endpoint, deployment, parameters))
        self._report(f"Starting the front on http://localhost:{port}")
        front_port.close()
        self._start_front(port)
        self._report("Creating products and keys")
        state = _state(port, emulator.endpoint, deployment)
        self._write("deployed.json", deployed)
        self._write("state.json", state)
        self._write_text(API_KEY, state.keys["staff"])
        return state

    def _front_settings(
        self, port: int, endpoint: Endpoint, deployment: Deployment, parameters: Mapping[str, str]
    ) -> FrontSettings:
        return FrontSettings(
            port=port,
            hosts=[urlsplit(parameters["BaseUrl"]).hostname or "localhost"],
            allowed_origins=[each for each in parameters.get("AllowedOrigins", "").split(",") if each],
            front_secret=self._read_processes().front_secret,
            emulator_url=endpoint.url,
            gateway_url=deployment.gateway_url(endpoint),
            api_id=deployment.outputs["ApiId"],
            bucket=deployment.outputs["BucketName"],
            media_headers=deployment.media_headers,
            compressed_paths=deployment.compressed_paths,
            gateway_log=self._folder.absolute() / GATEWAY_LOG,
        )

    def _start_front(self, port: int) -> None:
        log = self._folder / "front.log"
        settings = str(self._folder.absolute() / "front.json")
        front = BackgroundProcess.start([sys.executable, "-m", "local.front", settings], {**os.environ}, log)
        # A path of which the gateway's log says nothing.
        front.wait_until_ready(f"http://127.0.0.1:{port}/media/", "front", log)
        self._write("processes.json", self._read_processes().model_copy(update={"front": front}))

    def _end_front(self) -> None:
        front = self._read_processes().front
        if front is not None:
            front.end()

    def _front_is_alive(self) -> bool:
        front = self._read_processes().front
        return front is not None and front.is_alive()

    def _end_processes(self) -> bool:
        processes = self._processes()
        if processes is None:
            return False
        if processes.front is not None:
            processes.front.end()
        processes.emulator.end()
        shutil.rmtree(processes.emulator_folder, ignore_errors=True)
        (self._folder / "processes.json").unlink()
        return True

    def _processes(self) -> Processes | None:
        return self._read_processes() if (self._folder / "processes.json").is_file() else None

    def _read_processes(self) -> Processes:
        path = self._folder / "processes.json"
        try:
            return Processes.model_validate_json(path.read_text())
        except ValidationError as error:
            message = (
                f"An older version started this local system; end the processes in {path}, and delete it."
            )
            raise LocalSystemError(message) from error

    def _deployed(self) -> Deployed:
        try:
            return Deployed.model_validate_json((self._folder / "deployed.json").read_text())
        except (FileNotFoundError, ValidationError) as error:
            message = "An older version started this local system; renew it with: make local-stop local"
            raise LocalSystemError(message) from error

    def _write(self, name: str, content: BaseModel) -> None:
        self._write_text(name, content.model_dump_json(indent=2) + "\n")

    def _write_text(self, name: str, text: str) -> None:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(text)


def ignore_shell_settings() -> None:
    """Forget what the shell says of AWS and of proxies: all of this system is on this machine."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


def _with_base_url(parameters: Mapping[str, str], port: int) -> dict[str, str]:
    # The catalogue is followed, so that it can be tried: one put-events line (docs/catalogue.md).
    followed = {"CatalogueBus": "default", "CatalogueSource": "com.example.catalogue"}
    return {"BaseUrl": f"http://localhost:{port}", **followed, **parameters}


def _state(port: int, endpoint: Endpoint, deployment: Deployment) -> State:
    outputs, dynamodb = deployment.outputs, endpoint.client("dynamodb")
    return State(
        api_url=f"http://localhost:{port}",
        keys=issue_keys(dynamodb, outputs["KeysTableName"]),
        products=add_products(dynamodb, outputs["TableName"]),
        aws=Aws(
            endpoint_url=endpoint.url,
            region=REGION,
            access_key_id=ACCESS_KEY_ID,
            secret_access_key=SECRET_ACCESS_KEY,
        ),
        resources=_resources(deployment),
    )


def _resources(deployment: Deployment) -> Resources:
    outputs = deployment.outputs
    return Resources(
        bucket=outputs["BucketName"],
        table=outputs["TableName"],
        keys_table=outputs["KeysTableName"],
        failure_queue=outputs["FailureQueueUrl"],
        # Not every parameter lets the stack have all of them.
        functions={
            name: outputs[f"{logical_id}Name"]
            for name, logical_id in FUNCTIONS.items()
            if f"{logical_id}Name" in outputs
        },
    )


def wait_until[T](look: Callable[[], T | None], what: str, seconds: float = 90) -> T:
    """Call `look` until it returns something.

    Raises:
        LocalSystemError: it did not within `seconds`.

    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.05)
    raise LocalSystemError(f"After {seconds} s there was still no {what}.")
