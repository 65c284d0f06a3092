"""The contract's bodies as strict models: every key there, of its type, and no other."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class UserBody(_Strict):
    id: int
    username: str
    full_name: str


class ImageBody(_Strict):
    id: Annotated[int, Field(gt=0, lt=2**53)]
    type: Literal["JPEG", "PNG", "WEBP", "GIF", "AVIF"]
    user: UserBody
    name: str
    f: str
    size: int
    description: str
    width: int | None
    height: int | None
    human_readable_size: str
    mode: str | None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    product_id: int
    alt_text: str
    is_primary: bool
    order: int
    status: Literal["pending", "ready", "failed"]
    error: str | None


class FieldError(_Strict):
    field: str
    message: str


class ProblemBody(_Strict):
    type: str
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    request_id: str
    errors: list[FieldError] | None = None


def parse_time(text: str) -> datetime:
    """Read a time of the contract, which is ISO 8601 in UTC."""
    assert text.endswith("Z")
    return datetime.fromisoformat(text)
