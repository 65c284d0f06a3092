"""What others are told of pictures; docs/events.md has the schema."""

from enum import StrEnum


class ImageEventKind(StrEnum):
    """What became of a picture; the values are EventBridge's detail types."""

    READY = "ImageReady"
    FAILED = "ImageFailed"
    DELETED = "ImageDeleted"
