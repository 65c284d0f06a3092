"""Reads a multipart form from an API Gateway event (RFC 7578), strictly and within limits."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import override
from urllib.parse import unquote

import pybase64
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from domain.errors import FieldFault, InvalidFieldsError, InvalidRequestError
from domain.text import clean_short_text
from domain.upload_fields import TEXT_FIELDS
from handlers.encodings import EncodingError, decode
from handlers.http_headers import read_content_type

MAX_PARTS = 32
"""Parts of a form: eight times the four fields that there are, and few enough to cost nothing."""
MAX_TEXT_BYTES = 16_384
"""Bytes of a text field of ours: far more than any of them may have."""
_MAX_HEADER_CHARACTERS = 16_384
"""Characters of all parts' headers together: room for a file name of 5,000 characters and more."""
_MAX_HEADER_BYTES = 2 * _MAX_HEADER_CHARACTERS
"""Bytes of one header, before it is decoded; 5,000 characters take 20,000 at most."""
_MAX_EPILOGUE_BYTES = 16_384
"""How far the closing boundary may be from the body's end; clients send a line end behind it, or nothing."""
_MAX_PREAMBLE_BYTES = 1_024
"""How far the first boundary may be from the body's beginning to be looked at for blanks behind it."""
_BLANKS = (b" ", b"\t")
_FILE_FIELD = "image"
_PLAIN = frozenset({"", "7bit", "8bit", "binary"})
"""Transfer encodings that leave the bytes as they are (RFC 2045, 6.2)."""
_PERCENT_ENCODED = re.compile(r'(?:[\w.~"\r\n-]|%[0-9A-F]{2})+', re.ASCII)
"""How aiohttp writes a file name (its FormData, `quote_fields`); browsers encode `"`, CR and LF only, and the
parser has decoded those by then."""

_EXTENDED_FILE_NAME = re.compile(r";\s*filename\*\s*=\s*utf-8'[a-z0-9-]*'([^;\s]*)", re.IGNORECASE)
_INCOMPLETE = (
    "The form is cut short or not well-formed (RFC 7578). Let an HTTP client build it, and send it again."
)
_QUOTED = re.compile(r'"[^"]*"')


class NotMultipartError(InvalidRequestError):
    """The request's Content-Type is not multipart/form-data with a boundary."""

    code = "not_multipart"


class MalformedBodyError(InvalidRequestError):
    """The body is not what its Content-Type says."""

    code = "malformed_body"


@dataclass(frozen=True, slots=True)
class Form:
    """One file, whose name may be empty, and those of our text fields that came with it by name."""

    content: bytes
    file_name: str
    fields: dict[str, str]


def read_form(body: str, *, is_base64: bool, content_type: str) -> Form:
    """Decode and parse the body of an upload.

    Of a text field that comes more than once the last value counts: frameworks for forms send a hidden `0` in
    front of a checkbox's `1`. What is no field of ours is ignored, text or file.

    Raises:
        NotMultipartError, MalformedBodyError: the body cannot be read.
        InvalidFieldsError: the file is missing or doubled, or a field is too long or not text.

    """
    media_type, parameters = read_content_type(content_type)
    boundary = parameters.get("boundary")
    # A boundary is ASCII (RFC 2046, 5.1.1).
    if media_type != "multipart/form-data" or not boundary or not boundary.isascii():
        raise NotMultipartError(
            "Send the request as multipart/form-data with a boundary in its Content-Type; "
            "HTTP clients set it themselves when given a file to upload."
        )
    fields: dict[str, str] = {}
    file: tuple[str, bytes] | None = None
    ignored_files: list[str] = []
    for segment, content in _segments(_decode(body, is_base64=is_base64), boundary):
        if segment.name == _FILE_FIELD:
            if file:
                raise _fault(_FILE_FIELD, "Send this field once.")
            file = (_file_name(segment), _plain(segment, content))
        elif segment.name in TEXT_FIELDS:
            fields[segment.name] = _text(segment, content)
        elif segment.filename is not None:
            ignored_files.append(segment.name)
    if file is None:
        raise _no_file(ignored_files)
    return Form(content=file[1], file_name=file[0], fields=fields)


def _decode(body: str, *, is_base64: bool) -> bytes:
    try:
        # As text a picture's bytes are lost already; only a form of ASCII survives the way.
        return pybase64.b64decode(body, validate=True) if is_base64 else body.encode("ascii")
    except UnicodeEncodeError as error:
        raise MalformedBodyError(
            "The body arrived as text; the gateway must pass it on as binary."
        ) from error
    except (binascii.Error, ValueError) as error:
        raise MalformedBodyError("The body did not arrive as valid base64.") from error


class _FormParser(PushMultipartParser):  # type: ignore[misc] # published without types
    """Holds the headers of all parts to one limit before it looks for parameters in them.

    The parser's own limits hold for each line: up to them, parameters of four characters made a form of 1 MB
    of headers thirty times slower to read than one of 4.5 MB of picture.
    """

    def __init__(self, boundary: str) -> None:
        super().__init__(
            boundary,
            max_header_size=_MAX_HEADER_BYTES,
            max_segment_count=MAX_PARTS,
            strict=True,
        )
        self._header_characters = 0

    @override
    def __exit__(self, *raised: object) -> None:
        try:
            super().__exit__(*raised)
        finally:
            # Error and traceback refer to each other, and would keep 9 MB of a refused upload in memory until
            # the garbage collector runs.
            self.error = None

    @override
    def _create_segment(self, headerlist: list[tuple[str, str]]) -> MultipartSegment:
        # Subclasses may override this one, its docstring says.
        self._header_characters += sum(len(name) + len(value) for name, value in headerlist)
        if self._header_characters > _MAX_HEADER_CHARACTERS:
            raise ParserLimitReached
        return super()._create_segment(headerlist)


def _segments(body: bytes, boundary: str) -> Iterator[tuple[MultipartSegment, bytes]]:
    delimiter = f"--{boundary}".encode()
    # A body that was cut is refused here, before the parser looks through it and copies what it holds.
    if delimiter + b"--" not in body[-_MAX_EPILOGUE_BYTES:]:
        raise MalformedBodyError(_INCOMPLETE)
    body = _without_padding(body, delimiter)
    # The whole body in one chunk: each part then comes as one slice, the only copy that is made.
    try:
        with _FormParser(boundary) as parser:
            segment, content = None, b""
            for event in parser.parse(body):
                if isinstance(event, MultipartSegment):
                    segment, content = event, b""
                elif event is not None:
                    content = event
                else:
                    yield segment, content
    except MultipartError as error:
        # Without the traceback, in which `close` holds the error: see `__exit__`.
        raise MalformedBodyError(_explain(error)) from error.with_traceback(None)


def _without_padding(body: bytes, delimiter: bytes) -> bytes:
    """Remove blanks at the end of delimiter lines, which the parser refuses (RFC 2046, transport-padding).

    Whoever pads one of them pads each: so the first one tells, and an ordinary body is not looked through.
    """
    _, _, behind = body[:_MAX_PREAMBLE_BYTES].partition(delimiter)
    if not behind.startswith(_BLANKS):
        return body
    # More parts than a form may have need no care.
    first, *others = body.split(b"\r\n" + delimiter, MAX_PARTS + 1)
    if first.startswith(delimiter):
        first = delimiter + _without_blanks(first.removeprefix(delimiter))
    return (b"\r\n" + delimiter).join([first, *map(_without_blanks, others)])


def _without_blanks(part: bytes) -> bytes:
    rest = part.lstrip(b" \t") if part.startswith(_BLANKS) else part
    return rest if rest.startswith(b"\r\n") else part


def _explain(error: MultipartError) -> str:
    if isinstance(error, ParserLimitReached):
        return f"The form has more than {MAX_PARTS} parts, or too many or too long headers."
    if any(isinstance(argument, UnicodeDecodeError) for argument in error.args):
        return "A name in the form is not UTF-8. Rename the file, or send its name in UTF-8."
    return _INCOMPLETE


def _file_name(segment: MultipartSegment) -> str:
    extended = _extended_file_name(segment)
    if extended is not None:
        return extended
    name: str = segment.filename or ""
    return unquote(name) if _PERCENT_ENCODED.fullmatch(name) else name


def _extended_file_name(segment: MultipartSegment) -> str | None:
    """Read `filename*` (RFC 8187), which RFC 7578 forbids and older clients send for other than ASCII."""
    disposition = segment.header("Content-Disposition") or ""
    match = _EXTENDED_FILE_NAME.search(_QUOTED.sub("", disposition))
    return unquote(match[1]) if match else None


def _text(segment: MultipartSegment, content: bytes) -> str:
    if segment.filename is not None:
        raise _fault(segment.name, f"This field takes no file; send the image in the field {_FILE_FIELD}.")
    if len(content) > MAX_TEXT_BYTES:
        raise _fault(segment.name, f"Must have at most {MAX_TEXT_BYTES:,} bytes.")
    try:
        return decode(_plain(segment, content), segment.charset)
    except EncodingError as error:
        raise _fault(segment.name, f"This text {error}") from None


def _plain(segment: MultipartSegment, content: bytes) -> bytes:
    """Return `content`, which must be what the client means, not something that is to be decoded first."""
    encoding: str = segment.header("Content-Transfer-Encoding", "")
    if encoding.strip().lower() not in _PLAIN:
        raise _fault(
            segment.name,
            f"Came in the transfer encoding {clean_short_text(encoding)}. "
            "Send its bytes as they are: a form's parts are not encoded (RFC 7578, 4.7).",
        )
    return content


def _no_file(ignored_files: list[str]) -> InvalidFieldsError:
    if not ignored_files:
        return _fault(_FILE_FIELD, "This field is required.")
    name = clean_short_text(ignored_files[0])
    return _fault(
        _FILE_FIELD, f"This field is required. The file came in the field '{name}'; send it in {_FILE_FIELD}."
    )


def _fault(field: str, message: str) -> InvalidFieldsError:
    return InvalidFieldsError((FieldFault(field, message),))
