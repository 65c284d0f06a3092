"""The local system as a whole: starts its parts, fills it with something to try, ends it."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from domain.api_key import Role
from domain.image import ImageStatus, ProductImage
from domain.issue_key import IssueKey
from domain.user import User
from local import front
from local.background_process import BackgroundProcess, LocalSystemError
from local.deployment import FUNCTIONS, Deployment, deploy
from local.emulator_process import (
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    Emulator,
    Endpoint,
    start_emulator,
)
from local.template import REGION, ROOT

PRODUCT_IDS = list(range(123, 133))
_USERS = {
    "admin": (User(1, "ada", "Ada Admin"), Role.ADMIN),
    "staff": (User(2, "sam", "Sam Staff"), Role.STAFF),
    "customer": (User(3, "cleo", "Cleo Customer"), Role.CUSTOMER),
    "inactive": (User(4, "ina", "Ina Inactive"), Role.STAFF),
}

_FILES = ("state.json", "processes.json", "emulator.log", "front.log", "sample.jpg")

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
    front: BackgroundProcess | None = None


class LocalSystem:
    """One system with its files in `folder`, its front on `port` (0: any that is free)."""

    def __init__(
        self, folder: Path, port: int, report: Report, parameters: Mapping[str, str] | None = None
    ) -> None:
        """Deploy with the template's own defaults, but for `parameters`."""
        self._folder = folder
        self._port = port
        self._report = report
        self._parameters = parameters or {}

    def running(self) -> State | None:
        """Return the state of the system if it is up."""
        processes = self._processes()
        state = self._folder / "state.json"
        if processes is None or processes.front is None or not state.is_file():
            return None
        if not (processes.emulator.is_alive() and processes.front.is_alive()):
            return None
        return State.model_validate_json(state.read_text())

    def start(self) -> State:
        """Start everything and return what is needed to use it; a failed start leaves nothing running.

        Raises:
            LocalSystemError: the port is taken, or a step failed.

        """
        self.stop()
        with _hold(self._port) as front_port:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                return self._start(front_port)
            except BaseException:
                self._end_processes()
                raise

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
        self._report("Starting the AWS emulator")
        emulator = start_emulator(self._folder / "emulator.log")
        processes = Processes(emulator=emulator.process, emulator_folder=str(emulator.folder))
        self._write("processes.json", processes)
        self._report("Deploying template.yaml")
        parameters = {"BaseUrl": f"http://localhost:{port}", **self._parameters}
        deployment = deploy(emulator.endpoint, parameters)
        self._report(f"Starting the front on http://localhost:{port}")
        front_port.close()
        processes.front = self._start_front(port, emulator, deployment)
        self._write("processes.json", processes)
        self._report("Creating products and keys")
        state = _state(port, emulator.endpoint, deployment)
        self._write("state.json", state)
        return state

    def _start_front(self, port: int, emulator: Emulator, deployment: Deployment) -> BackgroundProcess:
        settings = front.FrontSettings(
            port=port,
            emulator_url=emulator.endpoint.url,
            gateway_url=deployment.gateway_url(emulator.endpoint),
            api_id=deployment.outputs["ApiId"],
            bucket=deployment.outputs["BucketName"],
            media_headers=deployment.media_headers,
        )
        log = self._folder / "front.log"
        environment = {**os.environ, **front.serialize(settings)}
        process = BackgroundProcess.start([sys.executable, "-m", "local.front"], environment, log)
        process.wait_until_ready(f"http://127.0.0.1:{port}/", "front", log)
        return process

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
        path = self._folder / "processes.json"
        return Processes.model_validate_json(path.read_text()) if path.is_file() else None

    def _write(self, name: str, content: BaseModel) -> None:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(content.model_dump_json(indent=2) + "\n")


def _hold(port: int) -> socket.socket:
    """Bind a port (0: any that is free), so that nothing else is given it until the front takes it over."""
    held = socket.socket()
    # As a server does, so that a port whose last connections still wind down counts as free.
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind(("127.0.0.1", port))
    except OSError as error:
        held.close()
        message = f"Port {port} is taken; end what listens there, or choose another: make local PORT=8001"
        raise LocalSystemError(message) from error
    return held


def ignore_shell_settings() -> None:
    """Forget what the shell says of AWS and of proxies: all of this system is on this machine."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


@contextmanager
def only_one_start() -> Iterator[None]:
    """Wait until no other start is under way: two would build into the same folder."""
    lock = ROOT / ".build" / "lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build_packages() -> None:
    """Build the deployment packages for this machine, if they are not up to date.

    Raises:
        LocalSystemError: with the reason.

    """
    done = subprocess.run(
        ["make", "--no-print-directory", "--jobs=2", "packages"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LocalSystemError(f"The packages were not built: {done.stderr.strip()}")


def _state(port: int, endpoint: Endpoint, deployment: Deployment) -> State:
    outputs = deployment.outputs
    dynamodb = endpoint.client("dynamodb")
    products = DynamoProducts(dynamodb, outputs["TableName"])
    for product_id in PRODUCT_IDS:
        products.add(product_id)
    api_keys = DynamoApiKeys(dynamodb, outputs["KeysTableName"])
    issue_key = IssueKey(api_keys, partial(datetime.now, UTC))
    keys = {}
    for name, (user, role) in _USERS.items():
        keys[name], record = issue_key(user, role)
        if name == "inactive":
            api_keys.revoke(record.id)
    return State(
        api_url=f"http://localhost:{port}",
        keys=keys,
        products=PRODUCT_IDS,
        aws=Aws(
            endpoint_url=endpoint.url,
            region=REGION,
            access_key_id=ACCESS_KEY_ID,
            secret_access_key=SECRET_ACCESS_KEY,
        ),
        resources=Resources(
            bucket=outputs["BucketName"],
            table=outputs["TableName"],
            keys_table=outputs["KeysTableName"],
            failure_queue=outputs["FailureQueueUrl"],
            functions={name: outputs[f"{logical_id}Name"] for name, logical_id in FUNCTIONS.items()},
        ),
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
