"""Forms as clients send them; in the standard library alone, so that the benchmark can make them too."""

BOUNDARY = "a-boundary"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(content: bytes, *parameters: str, name: str, headers: tuple[str, ...] = ()) -> bytes:
    """Return one part of a form; `parameters` are those of its disposition, `headers` the other ones."""
    disposition = "; ".join(["form-data", f'name="{name}"', *parameters])
    lines = [f"Content-Disposition: {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


def file_part(content: bytes, file_name: str = "shoe.jpg") -> bytes:
    return part(content, f'filename="{file_name}"', name="image")


def form(*parts: bytes) -> bytes:
    """Return the body of a `FORM_TYPE` request."""
    delimiter = f"--{BOUNDARY}".encode()
    return b"".join(delimiter + b"\r\n" + each + b"\r\n" for each in parts) + delimiter + b"--\r\n"


def upload_form(content: bytes, file_name: str = "shoe.jpg", **fields: str) -> bytes:
    return form(
        file_part(content, file_name), *(part(value.encode(), name=name) for name, value in fields.items())
    )
