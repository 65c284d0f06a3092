"""What must hold after any fault, and how the tests name one."""

from domain.image import ImageStatus
from tests.e2e.fault_bench import Bench, FaultPoint

SETTLED = {ImageStatus.READY, ImageStatus.FAILED}


def check_nothing_is_lost_or_left(bench: Bench) -> None:
    """Check that each picture is settled and counted, its bytes there and public, and no others are there."""
    # True at any time, not only when all is quiet.
    bench.count()
    bench.let_time_pass_and_reconcile()
    records, objects = bench.records(), bench.objects()
    assert bench.count() == len(records)
    assert {ref: status for ref, status in records.items() if status not in SETTLED} == {}
    assert {ref for ref, status in records.items() if status is ImageStatus.READY} == objects
    assert bench.public() == objects
    assert bench.primary() in {None, *(ref.image_id for ref in objects)}


def name(point: FaultPoint) -> str:
    calls = f"calls from {point.call}" if point.is_outage else f"call {point.call}"
    return f"{calls} {point.when.value} {point.fault.value}"
