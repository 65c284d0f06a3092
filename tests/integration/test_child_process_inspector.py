import os
import signal
import time
from typing import NoReturn, override

import pytest

from adapters.child_process_inspector import ChildProcessInspector
from adapters.pillow_image_inspector import PillowImageInspector
from domain.errors import NotAPictureError
from domain.image import ImageFacts, ImageFormat
from domain.ports import ImageInspector
from tests.builders import jpeg

CONTENT = jpeg()
PLENTY = 4_000_000_000
UNLIMITED = 2**62
"""For a child's work that is done in the test's own process."""


def limited(
    inspector: ImageInspector, seconds: float = 30, memory_bytes: int = PLENTY
) -> ChildProcessInspector:
    return ChildProcessInspector(inspector, max_seconds=seconds, max_memory_bytes=memory_bytes)


class Misbehaving:
    """Does what is asked for when it is to inspect a picture."""

    def __init__(self, act: str) -> None:
        self._act = act

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        match self._act:
            case "hang":
                time.sleep(60)
            case "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            case "swallow":
                bytearray(8_000_000_000)
            case "break":
                raise RuntimeError
        return ImageFacts(len(content), os.getpid(), image_format.name)


def test_the_facts_come_out_of_a_process_of_their_own() -> None:
    facts = limited(Misbehaving("work")).inspect(CONTENT, ImageFormat.JPEG)
    assert (facts.width_px, facts.mode) == (len(CONTENT), "JPEG")
    assert facts.height_px != os.getpid()


def test_pillow_works_in_it() -> None:
    inspector = limited(PillowImageInspector(1_000_000))
    assert inspector.inspect(CONTENT, ImageFormat.JPEG) == ImageFacts(48, 32, "RGB")
    with pytest.raises(NotAPictureError, match="cut short") as caught:
        inspector.inspect(CONTENT[:-100], ImageFormat.JPEG)
    assert caught.value.failure.code == "truncated"


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("hang", "more than 0.2 s to decode"),
        ("crash", "breaks the decoder"),
        ("break", "breaks the decoder"),
        ("swallow", "needs too much memory"),
    ],
)
def test_a_picture_that_misbehaves_is_none_and_does_no_harm(act: str, reason: str) -> None:
    with pytest.raises(NotAPictureError, match=reason) as caught:
        limited(Misbehaving(act), seconds=0.2 if act == "hang" else 30).inspect(CONTENT, ImageFormat.JPEG)
    assert caught.value.failure.code == "too_complex"


@pytest.mark.parametrize(("act", "logged"), [("work", []), ("break", ["the decoder broke: RuntimeError"])])
def test_the_child_ends_where_it_has_answered_and_logs_what_broke_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, act: str, logged: list[str]
) -> None:
    class EndedError(Exception):
        """Ends the child, which here is the test's own process."""

    def end(status: int) -> NoReturn:
        raise EndedError(status)

    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(EndedError):
        limited(Misbehaving(act), memory_bytes=UNLIMITED).inspect(CONTENT, ImageFormat.JPEG)
    # Of what broke it, its kind alone: a message may hold something of the picture.
    assert [record.getMessage() for record in caplog.records] == logged


def test_what_the_child_answers_is_facts_or_a_reason() -> None:
    class Full(Misbehaving):
        @override
        def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
            raise MemoryError

    inspectors = (Misbehaving("work"), PillowImageInspector(1_000_000), Full(""))
    facts, *reasons = [
        limited(inspector, memory_bytes=UNLIMITED).answer(b"no", ImageFormat.JPEG) for inspector in inspectors
    ]
    assert facts == {"width_px": 2, "height_px": os.getpid(), "mode": "JPEG"}
    assert [answer.keys() for answer in reasons] == [{"code", "reason"}] * 2
    assert [answer["code"] for answer in reasons] == ["not_a_picture", "too_complex"]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage",
        b"[]",
        b'{"width_px": 1}',
        b'{"width_px": "1", "height_px": 1, "mode": "L"}',
        b'{"reason": "It is damaged."}',
        b'{"code": "corrupt"}',
        b'{"code": "out of luck", "reason": "It is damaged."}',
        b'{"code": null, "reason": "It is damaged."}',
    ],
)
def test_an_answer_that_is_none_is_a_picture_that_breaks_the_decoder(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr("adapters.child_process_inspector.json.dumps", lambda _: answer.decode())
    with pytest.raises(NotAPictureError, match="breaks the decoder"):
        limited(Misbehaving("work")).inspect(CONTENT, ImageFormat.JPEG)
