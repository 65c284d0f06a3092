"""Reads the animation of a PNG as far as browsers play it (W3C PNG, third edition, 11.3.4)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from domain.public_copy.png_chunks import Chunk

NUMBER_BYTES = 4
"""What each chunk of an animation begins with: its place among them all."""

_ACTL_BYTES, _FCTL_BYTES = 8, 26
_LAST_DISPOSAL, _LAST_BLENDING = 2, 1


class Animation(NamedTuple):
    """What announces how many frames, whether the picture itself is the first, and the others' chunks."""

    control: Chunk | None = None
    announced: int = 0
    begins_with_picture: bool = False
    frames: Sequence[Sequence[Chunk]] = ()

    @property
    def length(self) -> int:
        """Return how many frames there are; none if nothing moves."""
        return self.begins_with_picture + len(self.frames)


def read_animation(head: Sequence[Chunk], tail: Sequence[Chunk], width_px: int, height_px: int) -> Animation:
    """Read it from the chunks before and behind the picture's own pixels.

    A frame is drawn upon those before it, so an animation ends before the first frame that is damaged: one
    whose control has a wrong checksum or an impossible place, that has no pixel data, or whose chunks do not
    bear the next numbers. Browsers show the picture in all these cases. Frames beyond the announced number
    are never shown, and go.
    """
    control = next((chunk for chunk in head if chunk.name == b"acTL" and chunk.is_sound()), None)
    if control is None or len(control.data) != _ACTL_BYTES:
        return Animation()
    announced = int.from_bytes(control.data[:4])
    first = [chunk for chunk in head if chunk.name == b"fcTL"]
    if first and (len(first) > 1 or not announced or not _covers(first[0], width_px, height_px)):
        return Animation(control, announced)
    number, frames = len(first), list[list[Chunk]]()
    for frame in _frames(tail)[: announced - number]:
        if not _is_whole(frame, number, width_px, height_px):
            break
        frames.append(frame)
        number += len(frame)
    return Animation(control, announced, bool(first), frames)


def _covers(control: Chunk, width_px: int, height_px: int) -> bool:
    """Tell whether this begins an animation with the whole picture, as the first frame must."""
    covered = b"".join(each.to_bytes(4) for each in (0, width_px, height_px, 0, 0))
    return _is_control(control, width_px, height_px) and control.data[:20] == covered


def _is_control(chunk: Chunk, width_px: int, height_px: int) -> bool:
    if len(chunk.data) != _FCTL_BYTES or not chunk.is_sound():
        return False
    width, height, left, top = (int.from_bytes(chunk.data[at : at + 4]) for at in range(4, 20, 4))
    is_inside = 0 < width <= width_px - left and 0 < height <= height_px - top
    return is_inside and chunk.data[24] <= _LAST_DISPOSAL and chunk.data[25] <= _LAST_BLENDING


def _frames(tail: Sequence[Chunk]) -> list[list[Chunk]]:
    """Part the chunks of the animation into frames, each of which begins with its control."""
    chunks = [chunk for chunk in tail if chunk.name in {b"fcTL", b"fdAT"}]
    begins = [at for at, chunk in enumerate(chunks) if at == 0 or chunk.name == b"fcTL"]
    return [chunks[begin:end] for begin, end in pairwise([*begins, len(chunks)])]


def _is_whole(frame: Sequence[Chunk], number: int, width_px: int, height_px: int) -> bool:
    control, *pixels = frame
    if control.name != b"fcTL" or not pixels or not _is_control(control, width_px, height_px):
        return False
    numbers = [chunk.data[:NUMBER_BYTES] for chunk in frame]
    return all(each == index.to_bytes(NUMBER_BYTES) for index, each in enumerate(numbers, number))
