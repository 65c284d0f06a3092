"""Deployed functions trust the roots that AWS's endpoints have certificates of, and no others."""

import hashlib
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import botocore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from local.template import Template
from packages.build import GROUPS
from packages.prune import PruningError
from packages.trust_store import ROOTS, prune_trust_store
from tests.infrastructure.package_files import built_package, run_alone
from tests.infrastructure.stack import functions, variables_of

WITH_SDK = sorted(GROUPS.keys() - {"DescribeApiFunction", "StaffPageFunction", "PillowLayer"})
A_YEAR_SECONDS = 365 * 86_400

KEYS_OF_AMAZON = {
    "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
    "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
    "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
    "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
}
"""SHA-256 of the public keys of Amazon Root CA 1 to 4, as amazontrust.com/repository publishes them."""

CALL = """
from adapters.aws import dynamodb_client
from botocore.exceptions import SSLError
try:
    dynamodb_client().get_item(TableName="catalogue", Key={"pk": {"S": "PRODUCT#1"}})
    print("answered")
except SSLError as error:
    print(error)
"""


def trusted(file: Path) -> ssl.SSLContext:
    """Return a context that trusts what is in a file, as urllib3 loads it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file)
    return context


def fingerprints(file: Path) -> set[str]:
    return {hashlib.sha256(root).hexdigest() for root in trusted(file).get_ca_certs(True)}


# --- What the packages trust -----------------------------------------------------------------------


@pytest.mark.parametrize("logical_id", WITH_SDK)
def test_a_package_holds_the_roots_that_aws_uses_and_no_others(logical_id: str) -> None:
    assert fingerprints(built_package(logical_id) / "botocore/cacert.pem") == set(ROOTS.values())


def test_a_root_is_named_as_its_certificate_says() -> None:
    store = trusted(built_package("UploadImageFunction") / "botocore/cacert.pem")
    digests = [hashlib.sha256(root).hexdigest() for root in store.get_ca_certs(True)]
    subjects = dict(zip(digests, (str(root["subject"]) for root in store.get_ca_certs()), strict=True))
    assert [n for n, digest in ROOTS.items() if f"(('commonName', '{n}'),)" not in subjects[digest]] == []


def test_no_root_ends_within_a_year() -> None:
    roots = trusted(built_package("UploadImageFunction") / "botocore/cacert.pem").get_ca_certs()
    soon = time.time() + A_YEAR_SECONDS
    assert [r["subject"] for r in roots if ssl.cert_time_to_seconds(str(r["notAfter"])) < soon] == []


def test_the_keys_of_amazons_roots_are_those_that_it_publishes() -> None:
    store = trusted(built_package("UploadImageFunction") / "botocore/cacert.pem")
    # Not Starfield's: its serial number is 0, which cryptography is going to refuse.
    roots = [x509.load_der_x509_certificate(c) for c in store.get_ca_certs(True) if b"Amazon Root CA" in c]
    keys = [root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for root in roots]
    assert {hashlib.sha256(key).hexdigest() for key in keys} == KEYS_OF_AMAZON


@pytest.mark.parametrize("logical_id", sorted(GROUPS.keys() - {"FetchImageFunction"}))
def test_a_package_has_no_certifi_whose_roots_botocore_would_take_instead(logical_id: str) -> None:
    assert list(built_package(logical_id).glob("certifi*")) == []


def test_the_function_that_fetches_trusts_the_public_roots_for_pictures_and_those_of_aws_for_the_sdk(
    template: Template,
) -> None:
    package = built_package("FetchImageFunction")
    assert len(fingerprints(package / "certifi/cacert.pem")) > len(ROOTS)
    bundle = variables_of(functions(template)["FetchImageFunction"])["AWS_CA_BUNDLE"]
    # Lambda unpacks a package there (Lambda developer guide, "Environment variables": LAMBDA_TASK_ROOT).
    unpacked = package / Path(bundle).relative_to("/var/task")
    assert fingerprints(unpacked) == set(ROOTS.values())
    program = "from adapters.aws import sqs_client\nprint(sqs_client()._endpoint.http_session._verify)"
    alone = run_alone([package], program, {"AWS_CA_BUNDLE": bundle, "AWS_DEFAULT_REGION": "eu-central-1"})
    assert alone.stdout.strip() == bundle


def test_botocore_takes_its_own_roots() -> None:
    package = built_package("UploadImageFunction")
    program = "from botocore.httpsession import get_cert_path; print(get_cert_path(True))"
    assert run_alone([package], program, {}).stdout.strip() == str(package / "botocore/cacert.pem")


# --- Whom the SDK's clients speak to ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stranger:
    """A server that answers as DynamoDB does, with a certificate of its own making."""

    url: str
    certificate: Path


class _NoItem(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Stranger]:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    _certify(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), _NoItem) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Stranger(f"https://127.0.0.1:{server.server_port}", certificate)
        finally:
            server.shutdown()
            thread.join()


def _certify(certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def call(stranger: Stranger, **variables: str) -> str:
    """Return what comes of a call by the upload function's own client."""
    environment = {
        "AWS_ENDPOINT_URL": stranger.url,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    done = run_alone([built_package("UploadImageFunction")], CALL, environment | variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_client_refuses_a_server_that_no_root_vouches_for(stranger: Stranger) -> None:
    assert "CERTIFICATE_VERIFY_FAILED" in call(stranger)


def test_an_operator_can_name_other_roots(stranger: Stranger) -> None:
    assert call(stranger, AWS_CA_BUNDLE=str(stranger.certificate)) == "answered\n"


# --- How the file is made --------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Botocore's own file."""
    file = tmp_path / "cacert.pem"
    file.write_bytes(Path(botocore.__file__).with_name("cacert.pem").read_bytes())
    return file


def test_all_roots_but_those_are_removed(store: Path) -> None:
    assert len(fingerprints(store)) > 100
    prune_trust_store(store)
    assert fingerprints(store) == set(ROOTS.values())


def test_a_root_that_is_gone_stops_the_build(store: Path) -> None:
    prune_trust_store(store)
    before, rest = store.read_text().split("# Amazon Root CA 3\n")
    store.write_text(before + rest[rest.index("#") :])
    with pytest.raises(PruningError, match=r"cacert\.pem lacks Amazon Root CA 3; adapt"):
        prune_trust_store(store)


def test_a_file_that_looks_different_stops_the_build(store: Path) -> None:
    store.write_text(store.read_text().replace("BEGIN CERTIFICATE", "BEGIN TRUSTED CERTIFICATE"))
    with pytest.raises(PruningError, match="lacks Amazon Root CA 1, Amazon Root CA 2"):
        prune_trust_store(store)


def test_a_file_that_was_moved_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(PruningError, match="lacks Amazon Root CA 1"):
        prune_trust_store(tmp_path / "cacert.pem")
