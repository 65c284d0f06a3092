"""What must hold after any fault, and how the tests name one."""

from domain.image import ImageStatus
from tests.e2e.fault_bench import Bench, FaultPoint

SETTLED = {ImageStatus.READY, ImageStatus.FAILED}


def check_nothing_is_lost_or_left(bench: Bench) -> None:
    """Check that each picture is settled and counted, each ready one public, and nothing else there."""
    # True at any time, not only when all is quiet.
    bench.count()
    bench.let_time_pass_and_reconcile()
    records, images = bench.records(), bench.images()
    assert bench.count() == len(records)
    assert {ref: status for ref, status in records.items() if status not in SETTLED} == {}
    ready = [image for image in images if image.status is ImageStatus.READY]
    assert bench.received() == set()
    public = [key for image in ready for key in (image.media_key, *image.made_keys)]
    assert sorted(bench.public_keys()) == sorted(public)
    assert bench.primary() in {None, *(image.ref.image_id for image in ready)}


def name(point: FaultPoint) -> str:
    calls = f"calls from {point.call}" if point.is_outage else f"call {point.call}"
    return f"{calls} {point.when.value} {point.fault.value}"
