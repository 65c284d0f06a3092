"""`product-images keys`: creates, lists and revokes API keys."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

import typer

from domain.api_key import ApiKey, Role, hash_key, key_id
from domain.image import MAX_ID
from domain.issue_key import IssueKey
from domain.moments import iso_utc
from domain.text import clean_short_text
from domain.user import User
from ops.failures import OperatorError
from ops.target import target_of
from ops.terminal import Cell, confirm, note, say, say_json, show

_MAX_DAYS = 3650
_GATEWAY_CACHE_SECONDS = 60
"""How long the gateway may keep an authorizer's answer: the most that `AuthorizerTtlSeconds` can be."""
_STATE_STYLES = {"active": "green", "revoked": "red", "expired": "yellow"}

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke API keys.")


def _text(text: str) -> str:
    cleaned = clean_short_text(text)
    if not cleaned:
        raise typer.BadParameter("A name must not be empty.")
    return cleaned


OperatorOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        parser=_text,
        metavar="NAME",
        help="Who does it, for the key's record.",
        show_default="your AWS identity",
    ),
]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"'{clean_short_text(text)}' is no point in time; write it as 2030-01-31 or 2030-01-31T12:00Z."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@app.command()
def create(  # noqa: PLR0913, PLR0917 - each is an option of the command
    ctx: typer.Context,
    user_id: Annotated[int, typer.Option(min=1, max=MAX_ID, help="The user's identifier in the shop.")],
    username: Annotated[str, typer.Option(parser=_text, metavar="NAME", help="The user's login name.")],
    full_name: Annotated[str, typer.Option(parser=_text, metavar="NAME", help="The user's full name.")],
    role: Annotated[Role, typer.Option(help="Staff and admin may manage images.")],
    expires_in_days: Annotated[
        int | None,
        typer.Option(min=1, max=_MAX_DAYS, help="Days until the key expires.", show_default="never"),
    ] = None,
    expires_at: Annotated[
        datetime | None,
        typer.Option(
            parser=_moment,
            metavar="ISO8601",
            help="When the key expires; UTC, unless it names an offset.",
            show_default="never",
        ),
    ] = None,
    by: OperatorOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write the key and nothing else.")] = False,
) -> None:
    """Create an API key and show it, this once.

    Only the key goes to stdout, the explanation to stderr. The service keeps no more than its hash.

    Example:
        product-images keys create --user-id 7 --username sam
            --full-name "Sam Staff" --role staff --expires-in-days 365

    """
    now = datetime.now(UTC)
    expiry = _expiry(now, expires_in_days, expires_at)
    target = target_of(ctx)
    issue_key = IssueKey(target.api_keys, partial(datetime.now, UTC), by or target.clients.caller())
    key, record = issue_key(User(user_id, username, full_name), role, expiry)
    if not quiet:
        note(f"Created {_describe(record)}; expires: {_when(record.expires_at)}; in {target.name}.")
        note("This is the only time the key is shown: put it where secrets are kept, now.")
    say(key)


@app.command("list")
def list_keys(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.")] = False,
) -> None:
    """List the API keys, the oldest first; never the keys themselves.

    Example:
        product-images keys list --json

    """
    now = datetime.now(UTC)
    records = sorted(target_of(ctx).api_keys.all(), key=lambda record: record.created_at)
    if as_json:
        say_json([_as_json(record, now) for record in records])
    elif records:
        columns = ("Id", "Prefix", "User", "Role", "State", "Expires", "Created")
        # So that ids can be copied on a narrow terminal too.
        show(columns, (_as_row(record, now) for record in records), folds="User")
    else:
        note("There are no keys yet. Create one: product-images keys create --help")


@app.command()
def revoke(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="ID", help="The key's id or prefix, as listed; or a leaked key itself.")
    ],
    by: OperatorOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Revoke an API key, for good.

    Example:
        product-images keys revoke 3f9c2a51d07be846

    """
    target = target_of(ctx)
    record = _find(target.api_keys.all(), name)
    if not record.is_active:
        say(f"Revoked already: {_describe(record)}{_revocation(record)}.")
        return
    if not yes:
        confirm(f"Revoke {_describe(record)}, in {target.name}?")
    if target.api_keys.revoke(record.id, by or target.clients.caller(), datetime.now(UTC)) is None:
        raise OperatorError("The key was deleted meanwhile; see: product-images keys list")
    say(f"Revoked {_describe(record)}.")
    note(f"The gateway may accept it for up to {_GATEWAY_CACHE_SECONDS} s more.")


def _expiry(now: datetime, in_days: int | None, at: datetime | None) -> datetime | None:
    if in_days is not None and at is not None:
        raise typer.BadParameter("Give --expires-in-days or --expires-at, not both.")
    if in_days is not None:
        return now + timedelta(days=in_days)
    if at is not None and at <= now:
        raise typer.BadParameter(f"--expires-at lies in the past: {iso_utc(at)}.")
    return at


def _find(records: Iterable[ApiKey], name: str) -> ApiKey:
    # An operator who found a leaked key has nothing but the key.
    names = {name, key_id(hash_key(name))}
    found = [record for record in records if record.id in names or record.prefix == name]
    if not found:
        # What was typed may be a key, so it is not repeated.
        raise OperatorError("There is no such key. See their ids with: product-images keys list")
    if len(found) > 1:
        ids = ", ".join(sorted(record.id for record in found))
        raise OperatorError(f"{len(found)} keys begin with {name}. Give the id of one: {ids}")
    return found[0]


def _state(record: ApiKey, now: datetime) -> str:
    if record.is_valid(now):
        return "active"
    return "expired" if record.is_active else "revoked"


def _when(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "never"


def _describe(record: ApiKey) -> str:
    user = record.user
    return f"key {record.id} ({record.prefix}...) of {user.username}, {user.full_name}, {record.role}"


def _revocation(record: ApiKey) -> str:
    if record.revoked_at is None:
        return ""
    return f"; on {_when(record.revoked_at)} by {record.revoked_by}"


def _as_json(record: ApiKey, now: datetime) -> dict[str, Any]:
    return {
        "id": record.id,
        "prefix": record.prefix,
        "user": asdict(record.user),
        "role": record.role,
        "state": _state(record, now),
        "expires_at": iso_utc(record.expires_at) if record.expires_at else None,
        "created_at": iso_utc(record.created_at),
        "issued_by": record.issued_by,
        "revoked_at": iso_utc(record.revoked_at) if record.revoked_at else None,
        "revoked_by": record.revoked_by,
    }


def _as_row(record: ApiKey, now: datetime) -> Sequence[Cell]:
    state = _state(record, now)
    return (
        record.id,
        record.prefix,
        f"{record.user.id} {record.user.username}",
        record.role,
        (state, _STATE_STYLES[state]),
        _day(record.expires_at),
        _day(record.created_at),
    )


def _day(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}" if moment else "never"
