from domain.leased_ids import BLOCK_SIZE, LeasedIds
from tests.catalog_fake import InMemoryImageCatalog


class CountingBlocks(InMemoryImageCatalog):
    leases = 0

    def lease(self, size: int) -> int:
        self.leases += 1
        return super().lease(size)


def test_identifiers_count_up_from_one() -> None:
    ids = LeasedIds(InMemoryImageCatalog(), block_size=3)
    assert [ids.next_id() for _ in range(7)] == [1, 2, 3, 4, 5, 6, 7]


def test_two_environments_never_hand_out_the_same_identifier() -> None:
    counter = InMemoryImageCatalog()
    one, other = LeasedIds(counter, block_size=3), LeasedIds(counter, block_size=2)
    handed_out = [ids.next_id() for _ in range(20) for ids in (one, other)]
    assert len(set(handed_out)) == len(handed_out)


def test_a_block_costs_one_call() -> None:
    blocks = CountingBlocks()
    ids = LeasedIds(blocks)
    assert blocks.leases == 0
    for _ in range(BLOCK_SIZE):
        ids.next_id()
    assert blocks.leases == 1


def test_a_block_of_one_is_possible() -> None:
    ids = LeasedIds(InMemoryImageCatalog(), block_size=1)
    assert [ids.next_id(), ids.next_id()] == [1, 2]
