"""The size of what is deployed, unpacked."""

from collections.abc import Callable
from pathlib import Path

from bench.environments import package_folder, peer
from bench.results import Findings, state

PART = "packages"

_LIMITS = {"UploadImageFunction": 13_500_000}
_PACKAGES = (
    *("UploadImageFunction", "AuthorizeFunction", "ExtractMetadataFunction", "ReserveUploadFunction"),
    *("GalleryFunction", "ProductsFunction", "StorefrontFunction", "RequestFetchFunction"),
    *("DescribeApiFunction", "StaffPageFunction", "RenderImageFunction", "FetchImageFunction"),
    *("RemoveProductFunction", "FollowCatalogueFunction", "ReconcileFunction", "ForgetImageFunction"),
    "PillowLayer",
)
_PEERS = ("boto3", "powertools", "django", "fastapi")


def measure(report: Callable[[str], None]) -> Findings:
    """Add up each package's files, and for comparison those of the alternatives."""
    report("sizes")
    rows = [
        state(PART, f"size of {name}, unpacked", "bytes", ours=_size(package_folder(name)), limit=limit)
        for name in _PACKAGES
        for limit in [_LIMITS.get(name)]
    ]
    peers = {name: sum(map(_size, peer(name).folders)) for name in _PEERS}
    return Findings(rows, {"peer_sizes": peers})


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
