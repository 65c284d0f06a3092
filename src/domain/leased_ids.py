"""Hands out identifiers from leased blocks (the HiLo pattern), so that the counter is no hot key."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.ports import IdBlocks

BLOCK_SIZE = 100
"""Identifiers per lease: a busy environment asks once in 100 uploads, an idle one loses at most 99."""


class LeasedIds:
    """Counts through a block and leases the next when it is used up. Not safe for threads."""

    def __init__(self, blocks: "IdBlocks", block_size: int = BLOCK_SIZE) -> None:
        self._blocks = blocks
        self._block_size = block_size
        self._block = iter(range(0))

    def next_id(self) -> int:
        """Return the next identifier; once in a block this costs a call to the counter."""
        for image_id in self._block:
            return image_id
        first = self._blocks.lease(self._block_size)
        self._block = iter(range(first + 1, first + self._block_size))
        return first
