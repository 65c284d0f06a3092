"""No service at all: the two calls that store an upload, the SDK tuned for checksums and signatures.

`STORES` has them a second time with every option that our clients have.
"""

import base64
import os
import zlib

import boto3
from botocore.config import Config

_S3 = Config(request_checksum_calculation="when_required", s3={"payload_signing_enabled": False})
_ALL = Config(parameter_validation=False, user_agent="tuned-calls")


class Store:
    """The two calls, on clients with these options."""

    def __init__(self, options: Config) -> None:
        self._dynamodb = boto3.client("dynamodb", config=options)
        self._s3 = boto3.client("s3", config=_S3.merge(options))

    def __call__(self, content: bytes) -> int:
        """Write a record and the bytes; return the status that an upload would be answered with."""
        self._dynamodb.put_item(
            TableName=os.environ["TABLE"],
            Item={"pk": {"S": "PRODUCT#42"}, "sk": {"S": "IMAGE#1"}, "size": {"N": str(len(content))}},
            ConditionExpression="attribute_not_exists(pk)",
        )
        self._s3.put_object(
            Bucket=os.environ["BUCKET"],
            Key="originals/42/1.jpg",
            Body=content,
            ContentType="image/jpeg",
            ChecksumCRC32=base64.b64encode(zlib.crc32(content).to_bytes(4)).decode(),
            IfNoneMatch="*",
        )
        return 201


STORES = {"tuned_calls": Store(Config()), "tuned_as_ours": Store(_ALL)}
