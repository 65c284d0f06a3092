"""What the tests of the running system (`tests.running_system`) share."""

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.session import Session, get_session

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_products import DynamoProducts
from domain.image import ImageFacts
from events.record import GALLERY_IMAGE, IMAGE, add_example_keys
from local.deployment import STACK
from local.sample import sample_jpeg
from local.system import State
from tests.builders import NOW, a_file, an_image
from tests.e2e.fault_bench import OPEN_SHARDS, Bench
from tests.e2e.operator import Operator
from tests.e2e.shop import Shop
from tests.picture_server import PictureServer, serving


@pytest.fixture(scope="session")
def outputs(system: State) -> dict[str, str]:
    """What the deployed stack says of itself."""
    stack = system.endpoint.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture(scope="session")
def session(system: State) -> Session:
    session = get_session()
    session.set_credentials(system.aws.access_key_id, system.aws.secret_access_key)
    session.set_config_variable("region", system.aws.region)
    return session


def _reach_the_emulator(monkeypatch: pytest.MonkeyPatch, system: State, session: Session) -> None:
    """Let the clients that the service makes reach the emulator."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", system.aws.endpoint_url)
    monkeypatch.setattr("adapters.aws.session", lambda: session)


@pytest.fixture(scope="session")
def one_bench(system: State, session: Session) -> Bench:
    """The bench of this process: to make its clients takes as long as half a test."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _reach_the_emulator(monkeypatch, system, session)
        return Bench(system)


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Do many things at once while no other process of these tests does so.

    What functions need to start, for each request that is there at once, is more than one machine has twice.
    """
    with Path(tmp_path_factory.getbasetemp().parent, "alone").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def bench(one_bench: Bench, system: State, session: Session, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """An empty bench, on which the SDK tries again at once."""
    _reach_the_emulator(monkeypatch, system, session)
    monkeypatch.setattr(
        "botocore.retries.standard.ExponentialBackoff.delay_amount", lambda _self, _context: 0
    )
    monkeypatch.setattr("adapters.dynamo_items.OPEN_SHARDS", OPEN_SHARDS)
    one_bench.clear()
    return one_bench


@pytest.fixture
def operator(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator of the system, at `product-images`."""
    (tmp_path / "state.json").write_text(shop.state.model_dump_json())
    monkeypatch.setenv("LOCAL_FOLDER", str(tmp_path))
    return Operator()


@pytest.fixture(scope="module")
def server(shop: Shop) -> Iterator[PictureServer]:
    """A server that the deployed function may fetch pictures from, by every name below `.test`."""
    with serving() as server, shop.fetching_from(server.port):
        yield server


@pytest.fixture
def told(shop: Shop) -> Iterator[str]:
    """A queue that the service's events go to."""
    sqs, events = shop.state.endpoint.client("sqs"), shop.state.endpoint.client("events")
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    events.put_rule(Name="told", EventPattern=json.dumps({"source": ["product-images"]}))
    events.put_targets(Rule="told", Targets=[{"Id": "told", "Arn": arn}])
    yield queue
    events.remove_targets(Rule="told", Ids=["told"])
    events.delete_rule(Name="told")


@pytest.fixture
def recorded_picture(system: State) -> Iterator[None]:
    """What the recorded events speak of, for this test alone."""
    client, resources = system.endpoint.client, system.resources
    add_example_keys(DynamoApiKeys(client("dynamodb"), resources.keys_table))
    DynamoProducts(client("dynamodb"), resources.table).add(GALLERY_IMAGE.product_id)
    content = sample_jpeg(96, 64)
    for ref in (GALLERY_IMAGE, IMAGE):
        system.catalog.reserve(an_image(ref=ref, size_bytes=len(content)))
    system.catalog.mark_ready(GALLERY_IMAGE, a_file(facts=ImageFacts(96, 64, "RGB")), NOW)
    client("s3").put_object(Bucket=resources.bucket, Key=IMAGE.incoming_key, Body=content)
    yield
    _remove_recorded(system)


def _remove_recorded(system: State) -> None:
    s3, resources = system.endpoint.client("s3"), system.resources
    for prefix in (IMAGE.incoming_key, IMAGE.media_prefix):
        listed = s3.list_object_versions(Bucket=resources.bucket, Prefix=prefix)
        for each in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=resources.bucket, Key=each["Key"], VersionId=each["VersionId"])
    for ref in (GALLERY_IMAGE, IMAGE):
        if system.catalog.get(ref.product_id, ref.image_id):
            system.catalog.begin_removal(system.catalog.look_up(ref.product_id, ref.image_id), NOW)
            system.catalog.finish_removal(ref)
