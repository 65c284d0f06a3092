"""What a person is told of a picture that has no public copy, in the same words for every format."""

from domain.failure import Failure


def truncated(what: str = "it ends before the image does") -> Failure:
    """Say of a file that it is not all there."""
    return Failure(
        "truncated",
        f"The file is cut short: {what}. Send the whole file again, or save it again if this is all of it.",
    )


def corrupt(what: str) -> Failure:
    """Say of a file that something in it is not as it was written."""
    advice = "Open it in an image editor, save it again, and send that."
    return Failure("corrupt", f"The image is damaged: {what}. {advice}")


def unsupported(what: str) -> Failure:
    """Say of a picture that it needs what browsers do not have; `what` is "a PNG with …"."""
    reason = f"The image is {what}, which browsers do not show. Save it again as a usual JPEG or PNG."
    return Failure("unsupported_feature", reason)


def too_complex(what: str) -> Failure:
    """Say of a picture that reading it would cost more than any picture needs."""
    return Failure("too_complex", f"The image has {what}. Save it again in an image editor, and send that.")
