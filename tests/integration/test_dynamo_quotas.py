from datetime import date

from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_quotas import DynamoQuotas
from tests.builders import an_idempotency_table
from tests.fakes import InMemoryQuotas

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


def test_the_table_counts_as_the_fake_does_and_forgets_after_the_day() -> None:
    with mock_aws():
        client = dynamodb_client()
        table = an_idempotency_table(client)
        for quotas in (DynamoQuotas(client, table), InMemoryQuotas()):
            taken = [("one", MONDAY), ("one", MONDAY), ("other", MONDAY), ("one", TUESDAY), ("one", MONDAY)]
            assert [quotas.take(*each, 2) for each in taken] == [True, True, True, True, False]
            assert quotas.take("one", MONDAY, 3)
        items = client.scan(TableName=table)["Items"]
    midnights = {int(item["expiration"]["N"]) % 86_400 for item in items}
    assert (len(items), midnights) == (3, {0})
