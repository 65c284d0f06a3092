"""`product-images keys`: what an operator types, sees, and what is then in the table."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.api_key import (
    ApiKey,
    Role,
    assemble_key,
    generate_key,
    hash_key,
    is_well_formed,
    key_id,
    shown_prefix,
)
from domain.user import User
from tests.integration.ops_operator import Operator, error_line, operator_of_a_stack

CREATE = (
    "keys",
    "create",
    "--user-id",
    "7",
    "--username",
    "sam",
    "--full-name",
    "Sam Staff",
    "--role",
    "staff",
)
SAM = User(7, "sam", "Sam Staff")
OPERATOR = "arn:aws:sts::123456789012:assumed-role/operators/ola"
IDENTITY = "arn:aws:sts::123456789012:user/moto"
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with operator_of_a_stack(monkeypatch) as operator:
        yield operator


def kept_key(operator: Operator, key: str) -> ApiKey:
    record = operator.api_keys.find(hash_key(key))
    assert record is not None
    return record


def issue(
    operator: Operator,
    *,
    user: User = SAM,
    role: Role = Role.STAFF,
    is_active: bool = True,
    expires_at: datetime | None = None,
    created_at: datetime = JANUARY,
    prefix: str | None = None,
) -> tuple[str, ApiKey]:
    """Put a key into the table, also one that the command line could not make."""
    key = generate_key()
    record = ApiKey(
        id=key_id(hash_key(key)),
        user=user,
        role=role,
        is_active=is_active,
        expires_at=expires_at,
        created_at=created_at,
        prefix=prefix or shown_prefix(key),
        issued_by=OPERATOR,
        revoked_by=None if is_active else OPERATOR,
        revoked_at=None if is_active else JANUARY,
    )
    operator.api_keys.add(hash_key(key), record)
    return key, record


# create


def test_only_the_key_goes_to_stdout_and_its_explanation_to_stderr(operator: Operator) -> None:
    result = operator.runs(*CREATE)
    key = result.stdout.removesuffix("\n")
    assert result.exit_code == 0
    assert is_well_formed(key)
    assert "only time the key is shown" in result.stderr
    assert key_id(hash_key(key)) in result.stderr
    assert "stack product-images (eu-central-1)" in result.stderr
    assert key not in result.stderr


def test_quiet_writes_the_key_and_nothing_else(operator: Operator) -> None:
    result = operator.runs(*CREATE, "--quiet")
    assert is_well_formed(result.stdout.removesuffix("\n"))
    assert not result.stderr


def test_a_created_key_belongs_to_its_user_and_never_expires(operator: Operator) -> None:
    key = operator.runs(*CREATE).stdout.strip()
    record = kept_key(operator, key)
    assert record.user == SAM
    assert record.role == "staff"
    assert record.is_active
    assert record.expires_at is None
    assert datetime.now(UTC) - record.created_at < timedelta(minutes=1)


def test_a_key_may_expire_in_some_days(operator: Operator) -> None:
    key = operator.runs(*CREATE, "--expires-in-days", "30").stdout.strip()
    record = kept_key(operator, key)
    assert record.expires_at is not None
    assert abs(record.expires_at - record.created_at - timedelta(days=30)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2099-01-31", datetime(2099, 1, 31, tzinfo=UTC)),
        ("2099-01-31T12:30", datetime(2099, 1, 31, 12, 30, tzinfo=UTC)),
        ("2099-01-31T12:30Z", datetime(2099, 1, 31, 12, 30, tzinfo=UTC)),
        ("2099-01-31T12:30+02:00", datetime(2099, 1, 31, 10, 30, tzinfo=UTC)),
    ],
)
def test_a_key_may_expire_at_a_moment(operator: Operator, text: str, moment: datetime) -> None:
    key = operator.runs(*CREATE, "--expires-at", text).stdout.strip()
    assert kept_key(operator, key).expires_at == moment


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--expires-at", "2020-01-01"), "lies in the past"),
        (("--expires-at", "tomorrow"), "2030-01-31T12:00Z"),
        (("--expires-at", "2099-01-01", "--expires-in-days", "3"), "not both"),
        (("--expires-in-days", "0"), "greater than or equal to 1"),
        (("--user-id", "0"), "greater than or equal to 1"),
        (("--username", " \u200e\t"), "must not be empty"),
        (("--full-name", ""), "must not be empty"),
        (("--by", "\t"), "must not be empty"),
        (("--role", "king"), "'admin', 'staff', 'customer'"),
    ],
)
def test_a_key_that_breaks_a_rule_is_not_created(
    operator: Operator, options: tuple[str, ...], says: str
) -> None:
    result = operator.runs(*CREATE, *options)
    assert says in error_line(result)
    assert result.exit_code == 2
    assert not list(operator.api_keys.all())


def test_names_are_cleaned_before_they_are_kept(operator: Operator) -> None:
    key = operator.runs(*CREATE, "--full-name", "  Sam\r\n\u202eStaff ").stdout.strip()
    assert kept_key(operator, key).user.full_name == "Sam Staff"


def test_a_key_keeps_who_issued_it_by_default_the_aws_identity(operator: Operator) -> None:
    # What moto says of whoever asks.
    assert kept_key(operator, operator.runs(*CREATE).stdout.strip()).issued_by == IDENTITY
    key = operator.runs(*CREATE, "--by", " Ola\u202e\nOperator").stdout.strip()
    assert kept_key(operator, key).issued_by == "Ola Operator"


# list


def test_the_list_shows_each_key_on_a_line_with_its_state(operator: Operator) -> None:
    _, expired = issue(operator, expires_at=datetime(2026, 2, 1, tzinfo=UTC))
    _, revoked = issue(operator, is_active=False, created_at=datetime(2026, 1, 2, tzinfo=UTC))
    _, active = issue(operator, role=Role.ADMIN, created_at=datetime(2026, 1, 3, tzinfo=UTC))
    rows = [line.split() for line in operator.runs("keys", "list").stdout.splitlines()]
    assert rows == [
        ["Id", "Prefix", "User", "Role", "State", "Expires", "Created"],
        [expired.id, expired.prefix, "7", "sam", "staff", "expired", "2026-02-01", "2026-01-01"],
        [revoked.id, revoked.prefix, "7", "sam", "staff", "revoked", "never", "2026-01-02"],
        [active.id, active.prefix, "7", "sam", "admin", "active", "never", "2026-01-03"],
    ]


def test_a_row_stays_whole_in_a_pipe_and_square_brackets_are_no_markup(operator: Operator) -> None:
    name = "[bold]" + "n" * 120
    issue(operator, user=User(7, name, "Sam"))
    assert f"7 {name}" in operator.runs("keys", "list").stdout


def test_the_list_is_there_for_scripts_too(operator: Operator) -> None:
    _, record = issue(operator, user=User(7, "zoë", "Zoë Staff"), expires_at=datetime(2099, 2, 1, tzinfo=UTC))
    result = operator.runs("keys", "list", "--json")
    assert json.loads(result.stdout) == [
        {
            "id": record.id,
            "prefix": record.prefix,
            "user": {"id": 7, "username": "zoë", "full_name": "Zoë Staff"},
            "role": "staff",
            "state": "active",
            "expires_at": "2099-02-01T00:00:00.000000Z",
            "created_at": "2026-01-01T00:00:00.000000Z",
            "issued_by": OPERATOR,
            "revoked_at": None,
            "revoked_by": None,
        }
    ]


def test_an_empty_list_says_what_to_do_and_is_empty_for_scripts(operator: Operator) -> None:
    result = operator.runs("keys", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "product-images keys create" in result.stderr
    assert json.loads(operator.runs("keys", "list", "--json").stdout) == []


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_no_list_shows_a_key_or_its_hash(operator: Operator, options: tuple[str, ...]) -> None:
    key, _ = issue(operator)
    output = operator.runs("keys", "list", *options).output
    assert key not in output
    assert hash_key(key) not in output


# revoke


def test_a_key_is_revoked_by_its_id_after_a_yes(operator: Operator) -> None:
    key, record = issue(operator)
    result = operator.runs("keys", "revoke", record.id, typing="y\n")
    assert result.exit_code == 0
    assert not kept_key(operator, key).is_active
    assert f"Revoke key {record.id}" in result.stderr
    assert "in stack product-images (eu-central-1)?" in result.stderr


@pytest.mark.parametrize(("options", "by"), [((), IDENTITY), (("--by", "Ola"), "Ola")])
def test_a_revoked_key_keeps_who_revoked_it_and_when(
    operator: Operator, options: tuple[str, ...], by: str
) -> None:
    key, record = issue(operator)
    operator.runs("keys", "revoke", record.id, "--yes", *options)
    kept = kept_key(operator, key)
    assert (kept.issued_by, kept.revoked_by) == (OPERATOR, by)
    assert kept.revoked_at is not None
    assert datetime.now(UTC) - kept.revoked_at < timedelta(minutes=1)
    again = operator.runs("keys", "revoke", record.id).stdout
    assert again.endswith(f"; on {kept.revoked_at:%Y-%m-%d %H:%M} UTC by {by}.\n")
    [listed] = json.loads(operator.runs("keys", "list", "--json").stdout)
    assert (listed["revoked_by"], listed["revoked_at"][:16]) == (by, f"{kept.revoked_at:%Y-%m-%dT%H:%M}")


def test_after_a_revocation_the_operator_knows_that_the_gateway_still_remembers(operator: Operator) -> None:
    _, record = issue(operator)
    assert "up to 60 s more" in operator.runs("keys", "revoke", record.id, "--yes").stderr


@pytest.mark.parametrize("typing", ["n\n", "\n", ""])
def test_without_a_yes_the_key_stays_active(operator: Operator, typing: str) -> None:
    key, record = issue(operator)
    result = operator.runs("keys", "revoke", record.id, typing=typing)
    assert result.exit_code == 1
    assert "Nothing was changed" in result.stderr
    assert "--yes" in result.stderr
    assert kept_key(operator, key).is_active


def test_a_key_is_revoked_by_its_prefix(operator: Operator) -> None:
    key, record = issue(operator)
    other, _ = issue(operator)
    assert operator.runs("keys", "revoke", record.prefix, "--yes").exit_code == 0
    assert not kept_key(operator, key).is_active
    assert kept_key(operator, other).is_active


def test_a_leaked_key_is_revoked_by_itself_and_not_repeated(operator: Operator) -> None:
    key, _ = issue(operator)
    result = operator.runs("keys", "revoke", key, "--yes")
    assert not kept_key(operator, key).is_active
    assert key not in result.output


def test_a_prefix_of_two_keys_revokes_neither_and_names_both(operator: Operator) -> None:
    key, first = issue(operator, prefix="pik_twins0")
    other, second = issue(operator, prefix="pik_twins0")
    line = error_line(operator.runs("keys", "revoke", "pik_twins0", "--yes"))
    assert first.id in line
    assert second.id in line
    assert kept_key(operator, key).is_active
    assert kept_key(operator, other).is_active


@pytest.mark.parametrize(
    "name", ["0123456789abcdef", "pik_", "", assemble_key("EXAMPLEunknownEXAMPLEunknownEXAMPLE12345")]
)
def test_an_unknown_key_is_not_repeated_either(operator: Operator, name: str) -> None:
    key, _ = issue(operator)
    line = error_line(operator.runs("keys", "revoke", name, "--yes"))
    assert line == "Error: There is no such key. See their ids with: product-images keys list"
    assert kept_key(operator, key).is_active


def test_a_key_that_is_revoked_already_needs_no_answer(operator: Operator) -> None:
    _, record = issue(operator, is_active=False)
    operator.api_keys.add("hash", replace(record, id="before", revoked_by=None, revoked_at=None))
    for name, ending in ((record.id, f"staff; on 2026-01-01 00:00 UTC by {OPERATOR}."), ("before", "staff.")):
        result = operator.runs("keys", "revoke", name)
        assert result.exit_code == 0
        assert result.stdout.startswith("Revoked already: ")
        assert result.stdout.endswith(f"{ending}\n")


def test_a_key_that_is_deleted_meanwhile_is_reported(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, record = issue(operator)
    monkeypatch.setattr("adapters.dynamo_api_keys.DynamoApiKeys.revoke", lambda *_: None)
    assert "deleted meanwhile" in error_line(operator.runs("keys", "revoke", record.id, "--yes"))
