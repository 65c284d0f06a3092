import errno
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, override

import pytest
from PIL import ExifTags, Image

from adapters.child_process import ChildProcess
from adapters.child_process_inspector import ChildProcessInspector
from adapters.pillow_image_inspector import PillowImageInspector
from domain.errors import NotAPictureError
from domain.image import ImageFacts, ImageFormat
from domain.ports import ImageInspector
from tests.builders import jpeg, picture

CONTENT = jpeg()
PLENTY = 4_000_000_000
SIDE = 2**21
"""Number of pixels on the longest side that a test's picture may have, larger than a process's number."""
NOBODY = 65_534
"""A user who may not exceed the limits of processes, as root may, and functions may not."""


def limited(
    inspector: ImageInspector, seconds: float = 30, memory_bytes: int = PLENTY
) -> ChildProcessInspector:
    return ChildProcessInspector(
        inspector, max_pixels=SIDE**2, max_seconds=seconds, max_memory_bytes=memory_bytes
    )


class Misbehaving:
    """Does what is asked for when it is to inspect a picture."""

    def __init__(self, act: str) -> None:
        self._act = act

    def inspect(self, content: bytes, _: ImageFormat) -> ImageFacts:
        match self._act:
            case "hang":
                time.sleep(60)
            case "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            case "swallow":
                bytearray(8_000_000_000)
            case "break":
                raise RuntimeError
        return ImageFacts(len(content), os.getpid(), "RGB")


class Grasping:
    """Tries to get at something, and tells as the width how that failed: an error's number."""

    def __init__(self, reach: Callable[[], object]) -> None:
        self._reach = reach

    def inspect(self, *_: object) -> ImageFacts:
        try:
            self._reach()
        except OSError as error:
            return ImageFacts(error.errno or SIDE, 1, "L")
        return ImageFacts(SIDE, 1, "L")


def test_the_facts_come_out_of_a_process_of_their_own() -> None:
    facts = limited(Misbehaving("work")).inspect(CONTENT, ImageFormat.JPEG)
    assert (facts.width_px, facts.mode) == (len(CONTENT), "RGB")
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


def test_of_what_broke_the_decoder_its_kind_alone_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NotAPictureError):
        limited(Misbehaving("break")).inspect(CONTENT, ImageFormat.JPEG)
    assert [record.getMessage() for record in caplog.records] == ["the decoder broke: RuntimeError"]


@pytest.mark.parametrize("act", ["work", "break"])
def test_the_child_ends_where_it_has_answered(monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    class EndedError(Exception):
        """Ends the child, which here is the test's own process."""

    def end(status: int) -> NoReturn:
        raise EndedError(status)

    done = list[tuple[int, ...]]()
    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(os, "environ", {"AWS_SESSION_TOKEN": "secret"})
    monkeypatch.setattr(os, "closerange", lambda *numbers: done.append(numbers))
    monkeypatch.setattr(resource, "setrlimit", lambda limit, _: done.append((limit,)))
    with pytest.raises(EndedError):
        limited(Misbehaving(act)).inspect(CONTENT, ImageFormat.JPEG)
    (memory,), (start, pipe), (after, _), *limits = done
    assert (memory, start, after) == (resource.RLIMIT_DATA, 0, pipe + 1)
    assert (resource.RLIMIT_NPROC,) in limits
    assert os.environ == {}


def test_what_the_child_answers_is_facts_or_a_reason() -> None:
    class Full(Misbehaving):
        @override
        def inspect(self, *_: object) -> ImageFacts:
            raise MemoryError

    inspectors = (Misbehaving("work"), PillowImageInspector(1_000_000), Full(""))
    facts, *reasons = [limited(inspector).answer(b"no", ImageFormat.JPEG).said for inspector in inspectors]
    assert facts == {"width_px": 2, "height_px": os.getpid(), "mode": "RGB"}
    assert [answer.keys() for answer in reasons] == [{"code", "reason"}] * 2
    assert [answer["code"] for answer in reasons] == ["corrupt", "too_complex"]


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], ImageFacts]:
    """Return what is read of a child that says something, bytes as they are and all else as JSON."""

    def inspect(answer: object) -> ImageFacts:
        said = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        monkeypatch.setattr(ChildProcess, "_receive", lambda *_: said)
        return limited(Misbehaving("work")).inspect(CONTENT, ImageFormat.JPEG)

    return inspect


FACTS = {"width_px": 2, "height_px": 3, "mode": "RGB"}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage",
        b"[]",
        b"[" * 4096,
        b"\xff",
        b'{"width_px": 1}',
        b'{"width_px": 1, "height_px": NaN, "mode": "L"}',
        {**FACTS, "width_px": "1"},
        {**FACTS, "width_px": True},
        {**FACTS, "height_px": True},
        {**FACTS, "width_px": 0},
        {**FACTS, "height_px": -1},
        {**FACTS, "width_px": -1, "height_px": -1},
        {**FACTS, "width_px": 1.5},
        {**FACTS, "width_px": 10**4000},
        {**FACTS, "width_px": SIDE + 1, "height_px": SIDE},
        {**FACTS, "mode": "JPEG"},
        {**FACTS, "mode": "RGB\x1b[2J" * 300},
        {"reason": "It is damaged."},
        {"code": "corrupt"},
        {"code": "out of luck", "reason": "It is damaged."},
        {"code": None, "reason": "It is damaged."},
        {"code": "corrupt", "reason": 5},
        {"code": "corrupt", "reason": ""},
        {"code": "corrupt", "reason": "\x1b\u202e\ud800"},
        {"broke": None},
    ],
    ids=repr,
)
def test_an_answer_that_cannot_be_is_a_picture_that_breaks_the_decoder(
    says: Callable[[object], ImageFacts], answer: object
) -> None:
    assert says(FACTS) == ImageFacts(2, 3, "RGB")
    with pytest.raises(NotAPictureError) as caught:
        says(answer)
    assert caught.value.failure.code == "too_complex"
    assert str(caught.value).startswith("The image breaks the decoder, or needs too much memory.")


def test_the_largest_picture_is_believed_in(says: Callable[[object], ImageFacts]) -> None:
    assert says({**FACTS, "width_px": SIDE, "height_px": SIDE}).width_px == SIDE


@pytest.mark.parametrize("mode", Image.MODES)
def test_every_mode_that_pillow_has_is_believed(says: Callable[[object], ImageFacts], mode: str) -> None:
    assert says({**FACTS, "mode": mode}).mode == mode


def test_what_the_child_says_in_words_is_one_short_line_without_commands_to_a_terminal(
    says: Callable[[object], ImageFacts], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NotAPictureError) as caught:
        says({"code": "corrupt", "reason": "It is\n\x1b[31mred\u202e." + "o" * 3000})
    assert str(caught.value).startswith("It is [31mred.ooo")
    assert len(str(caught.value)) == 255
    with pytest.raises(NotAPictureError, match="breaks the decoder"):
        says({"broke": "A\r\nB"})
    assert [record.getMessage() for record in caplog.records] == ["the decoder broke: A B"]


def test_the_child_has_nothing_of_its_parents_but_the_pipe() -> None:
    ours, others = socket.socketpair()
    with ours, others:
        reaches = (lambda: os.write(ours.fileno(), b"x"), lambda: os.write(2, b"x"), lambda: os.read(0, 1))
        assert [errno_of(reach) for reach in reaches] == [errno.EBADF] * 3
        others.setblocking(False)
        with pytest.raises(BlockingIOError):
            others.recv(1)


def test_the_child_has_no_credentials_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    class Looking:
        """Tells as the width how much there is in the environment, and one more."""

        def inspect(self, *_: object) -> ImageFacts:
            return ImageFacts(len(os.environ) + 1, 1, "L")

    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    assert limited(Looking()).inspect(CONTENT, ImageFormat.JPEG).width_px == 1
    assert os.environ["AWS_SESSION_TOKEN"] == "secret"  # noqa: S105 - no secret but the word


@pytest.mark.parametrize(
    "reach",
    [
        lambda: Path("/proc/self/environ").read_bytes(),
        lambda: Path(f"/proc/{os.getppid()}/mem").read_bytes(),
        lambda: Path("/tmp/written").write_text("x"),  # noqa: S108 - nothing is written
        socket.socket,
        os.pipe,
    ],
)
def test_the_child_can_open_nothing(reach: Callable[[], object]) -> None:
    assert errno_of(reach) == errno.EMFILE


def test_the_child_can_write_no_more_into_a_file_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert errno_of(lambda: os.truncate(file, 1)) == errno.EFBIG


def test_the_child_can_start_no_process_and_no_program_that_could_do_more() -> None:
    def start() -> None:
        if os.geteuid() == 0:
            os.setuid(NOBODY)
        if not os.fork():
            os._exit(0)

    assert errno_of(start) == errno.EAGAIN


def errno_of(reach: Callable[[], object]) -> int:
    """Return the number of the error which the child meets where it reaches for something."""
    return limited(Grasping(reach)).inspect(CONTENT, ImageFormat.JPEG).width_px


def test_a_fork_that_fails_leaves_no_descriptor_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> NoReturn:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fail)
    before = [path.name for path in Path("/proc/self/fd").iterdir()]
    with pytest.raises(BlockingIOError):
        limited(Misbehaving("work")).inspect(CONTENT, ImageFormat.JPEG)
    assert [path.name for path in Path("/proc/self/fd").iterdir()] == before


_INSPECT_ALL = """
import json, os, sys
from pathlib import Path
from adapters.child_process_inspector import ChildProcessInspector
from adapters.pillow_image_inspector import PillowImageInspector
from domain.errors import NotAPictureError
from domain.image import ImageFormat
from domain.public_copy import public_copy

pictures = [(ImageFormat[path.suffix[1:]], path.read_bytes()) for path in sorted(Path(sys.argv[1]).iterdir())]
pictures = [(image_format, public_copy(content, image_format)) for image_format, content in pictures]
limits = {"max_pixels": 10**6, "max_seconds": 30, "max_memory_bytes": 10**9}
inspector = ChildProcessInspector(PillowImageInspector(10**6), **limits)
if os.geteuid() == 0:
    os.setuid(65_534)
facts, failures = [], []
for image_format, content in pictures:
    facts.append(inspector.inspect(content, image_format))
    try:
        inspector.inspect(content[: len(content) // 2], image_format)
    except NotAPictureError as error:
        failures.append(error.failure.code)
print(json.dumps([facts, failures]))
"""


def test_pillow_has_loaded_all_that_it_needs_and_needs_no_thread(tmp_path: Path) -> None:
    # In a process where no other test has loaded anything, as a user who may start nothing.
    sideways = Image.Exif()
    sideways[ExifTags.Base.Orientation] = 6
    pictures = [
        (each.name, frames, each.name)
        for each in ImageFormat
        for frames in (1, 3)
        if (each.name, frames) != ("JPEG", 3)
    ]
    pictures.append(("MPO", 3, "JPEG"))
    for number, (name, frames, suffix) in enumerate(pictures):
        # Pillow's AVIF encoder crashes on EXIF data beside several frames.
        exif = {"exif": sideways.tobytes()} if frames == 1 else {}
        (tmp_path / f"{number:02}.{suffix}").write_bytes(picture(name, 640, 480, "RGB", frames, **exif))
    done = subprocess.run(
        [sys.executable, "-c", _INSPECT_ALL, tmp_path], capture_output=True, check=True, text=True
    )
    # A GIF holds no orientation, and a WebP is shown as it lies.
    is_turned = {"JPEG", "PNG", "AVIF"}
    sizes = [[480, 640] if frames == 1 and name in is_turned else [640, 480] for name, frames, _ in pictures]
    facts, failures = json.loads(done.stdout)
    assert [each[:2] for each in facts] == sizes
    assert set(failures) <= {"truncated", "corrupt"}
    assert len(failures) >= len(ImageFormat)
