"""No service at all: the two calls that store an upload, the SDK tuned for checksums and signatures.

`STORES` has them a second time with every option that our clients have, and with our checksum.
"""

import base64
import os
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import get_session
from zlib_ng.zlib_ng import crc32

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, UpdateTypeDef
    from mypy_boto3_s3 import S3Client

_S3 = Config(request_checksum_calculation="when_required", s3={"payload_signing_enabled": False})
_ALL = Config(parameter_validation=False, user_agent="tuned-calls")


class Store:
    """The two calls, on clients with these options, and with this function for the checksum."""

    def __init__(self, options: Config, crc32: Callable[[bytes], int]) -> None:
        self._crc32 = crc32
        # The SDK's published types do not tell its clients apart.
        session: Any = get_session()
        self._dynamodb: DynamoDBClient = session.create_client("dynamodb", config=options)
        self._s3: S3Client = session.create_client("s3", config=_S3.merge(options))

    def __call__(self, content: bytes) -> int:
        """Write a record and the bytes; return the status that an upload would be answered with."""
        put: PutTypeDef = {
            "TableName": os.environ["TABLE"],
            "Item": {"pk": {"S": "PRODUCT#42"}, "sk": {"S": "IMAGE#1"}, "size": {"N": str(len(content))}},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        count: UpdateTypeDef = {
            "TableName": os.environ["TABLE"],
            "Key": {"pk": {"S": "PRODUCT#42"}, "sk": {"S": "PRODUCT"}},
            "UpdateExpression": "ADD image_count :one",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        self._dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"Update": count}])
        self._s3.put_object(
            Bucket=os.environ["BUCKET"],
            Key="originals/42/1.jpg",
            Body=content,
            ContentType="image/jpeg",
            ChecksumCRC32=base64.b64encode(self._crc32(content).to_bytes(4)).decode(),
            IfNoneMatch="*",
        )
        return 201


STORES = {"tuned_calls": Store(Config(), zlib.crc32), "tuned_as_ours": Store(_ALL, crc32)}
