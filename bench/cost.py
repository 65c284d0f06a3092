"""`make cost`: prices what was counted, and writes `docs/cost.md`.

Counted calls and units (`bench/calls.py`), bytes, billed milliseconds and logs as measured
(`bench/billed.json`), and list prices (`bench/prices.json`).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bench.calls import CALLS, FETCH, OF_A_PRODUCT, REMOVAL_NOTED, REMOVAL_STEP, REMOVED_AT_ONCE, Call
from bench.capacity import item_size
from bench.environments import ROOT
from bench.hot_items import INDEX_UNITS
from bench.origin import origin
from bench.page import paragraph, table
from bench.routes import FIRST_STORED_ID, PRODUCT_ID, ready_record
from bench.warm_invocations import RESULTS as BILLED
from local.template import translate

PAGE = ROOT / "docs/cost.md"
_PRICES = ROOT / "bench/prices.json"
_MILLION = 1_000_000
_GB = 1_000_000_000
_PICTURE_GB = 1.5e6 / _GB
"""1.5 MB; the size that the benchmark's uploads have too."""
_TB = 1_000 * _GB
_WAIT_MILLISECONDS = 10
"""By what the page says how the bill grows with waiting for AWS."""
_FETCH_MILLISECONDS = 500
"""What is assumed of other people's servers, with all that the function does beside waiting."""
_UPLOAD_FUNCTIONS = ("upload_image", "extract_metadata")
_LOGICAL_IDS = {
    "upload_image": "UploadImageFunction",
    "reserve_upload": "ReserveUploadFunction",
    "extract_metadata": "ExtractMetadataFunction",
    "gallery": "GalleryFunction",
    "render_image": "RenderImageFunction",
    "storefront": "StorefrontFunction",
    "products": "ProductsFunction",
    "forget_image": "ForgetImageFunction",
    "follow_catalogue": "FollowCatalogueFunction",
}
"""Of each function that is priced, in the template."""
_SHOWN_PX, _THUMBNAIL_PX, _TILE_PX = "640", "160", "320"
"""Widths of what is shown of a picture: large, beside others in a gallery, and on a category page."""
_GALLERY, _TILES = 10, 40
"""Pictures on a page of a gallery and on a category page."""
_MEASURED_AT_REST = ("upload_image", "reserve_upload", "extract_metadata", "gallery")
"""Functions whose milliseconds are of a run on a machine that did little else."""
_DAYS_OF_A_MONTH = 30
POLLERS, POLL_SECONDS = 5, 20
"""How many ask the fetch queue at once, and for how long at most each waits for an answer."""
STAFF, STAFF_HOURS, STAFF_DAYS, STAFF_PICTURES = 10, 4, 21, 40
"""People who have a product open at the staff's page, for how many hours of a day and days of a month; and
the pictures that each puts in on a day."""
IDLE_SECONDS = 60
"""Between two looks of the page at a gallery in which nothing happens (page/public/polling.js)."""
BUSY_LOOKS = 180
"""What is assumed of the looks at a gallery while a day's pictures come: one a second for three minutes."""
_KEYS_LISTED = 1_000
"""That S3 lists in a call."""
_ITEM_OVERHEAD_BYTES = 100
"""What DynamoDB keeps for each item beside it (its pricing page)."""
_PRICE_OF_CALL = {
    "PutObject": "s3_put",
    "ListObjectsV2": "s3_put",
    "GetObject": "s3_get",
    "PutEvents": "event",
    "SendMessage": "sqs_request",
}
_SERVICES = {
    "api": "API Gateway",
    "lambda": "Lambda",
    "dynamodb": "DynamoDB",
    "s3": "S3",
    "sqs": "SQS",
    "event": "EventBridge",
    "log": "CloudWatch Logs",
    "cdn": "CloudFront",
}
"""By the first word of a price's name."""


@dataclass(frozen=True, slots=True)
class Line:
    """So many of what one price is for."""

    price: str
    quantity: float

    @property
    def service(self) -> str:
        """Which service bills it."""
        return _SERVICES[self.price.partition("_")[0]]

    @property
    def usd(self) -> float:
        """What it costs."""
        price = _prices()["prices"][self.price]
        return float(self.quantity * price["usd"] / price["per"])

    def arithmetic(self) -> str:
        """Say how the sum comes about."""
        price = _prices()["prices"][self.price]
        each = f"{price['usd']:.10f}".rstrip("0").rstrip(".")
        per = "" if price["per"] == 1 else f" per {price['per']:,}"
        quantity = f"{self.quantity:,.3f}".rstrip("0").rstrip(".")
        return f"{quantity} {price['unit']} at {each}{per}"


@dataclass(frozen=True, slots=True)
class Bill:
    """What something costs, line by line."""

    lines: Sequence[Line]

    @property
    def usd(self) -> float:
        """The sum."""
        return sum(line.usd for line in self.lines)

    def by_service(self) -> Mapping[str, Sequence[Line]]:
        """Return the lines of each service, the dearest service first, and in it the dearest line."""
        services = defaultdict[str, list[Line]](list)
        for line in sorted(self.lines, key=lambda line: -line.usd):
            services[line.service].append(line)
        return dict(sorted(services.items(), key=lambda item: -_sum(item[1])))


_BY_THE_CDN = (Line("api_request", _MILLION), Line("cdn_request", _MILLION))
"""What each request to the API takes through the base URL."""


def uploads(*, upload: str = "upload", metadata: str = "metadata of a primary") -> Bill:
    """Return the bill of a million direct uploads through the CDN, which the base URL names."""
    return _bill(
        CALLS[upload] + CALLS[metadata],
        _UPLOAD_FUNCTIONS,
        [
            Line("api_request", _MILLION),
            Line("cdn_request", _MILLION),
            Line("cdn_gb_to_origin", _MILLION * _PICTURE_GB),
            _kept_as_sent(),
        ],
    )


def form_uploads() -> Bill:
    """Return the bill of a million uploads with a form; its bytes go to S3 past the CDN."""
    return _bill(
        # The client's own POST beside what the functions call.
        (*CALLS["reserve"], Call("PutObject"), *CALLS["metadata of a form"]),
        ("reserve_upload", "extract_metadata"),
        [Line("api_request", _MILLION), Line("cdn_request", _MILLION), _kept_as_sent()],
    )


def fetches() -> Bill:
    """Return the bill of a million pictures by address: their request is billed like one for a form.

    The function that fetches waits for the picture's server, for so long as is assumed here.
    """
    memory: int = _template()["Resources"]["FetchImageFunction"]["Properties"]["MemorySize"]
    waited = _MILLION * _FETCH_MILLISECONDS / 1000 * memory / 1024
    return _bill(
        (*FETCH, *CALLS["metadata"]),
        ("reserve_upload", "extract_metadata"),
        [
            Line("api_request", _MILLION),
            Line("cdn_request", _MILLION),
            # A message is received and deleted.
            Line("sqs_request", 2 * _MILLION),
            Line("lambda_request", _MILLION),
            Line("lambda_gb_second", waited),
            _kept_as_sent(),
        ],
    )


def _kept_as_sent() -> Line:
    """Return what the old versions in the drop box take until they expire."""
    days = _template()["Parameters"]["IncomingVersionDays"]["Default"]
    return Line("s3_gb_month", _MILLION * _PICTURE_GB * days / _DAYS_OF_A_MONTH)


def views() -> Bill:
    """Return the bill of a million pictures shown by the CDN, each fetched from S3: the dearest case."""
    return Bill(
        [
            Line("cdn_gb_to_internet", _MILLION * _PICTURE_GB),
            Line("cdn_request", _MILLION),
            # One checks the address, one lets any page read the picture.
            Line("cdn_function", 2 * _MILLION),
            Line("s3_get", _MILLION),
        ]
    )


def shown(*files: tuple[int, float], answers_bytes: float = 0) -> Bill:
    """Return the bill of a million pages of so many files of so many GB, all of them from the CDN's caches.

    `answers_bytes` are those of the one answer of the storefront, as compressed as it is sent; 0 is none.
    """
    number = sum(many for many, _ in files)
    answers = 1 if answers_bytes else 0
    gb = sum(many * each for many, each in files) + answers_bytes / _GB
    return Bill(
        [
            Line("cdn_gb_to_internet", _MILLION * gb),
            Line("cdn_request", _MILLION * (number + answers)),
            # As for a view; the storefront's answers have none.
            Line("cdn_function", 2 * _MILLION * number),
        ]
    )


def views_of_a_rendition() -> Bill:
    """Return the bill of a million images shown at 640 px, each fetched from S3 as in `views`."""
    bill = shown((1, _avif_gb(_SHOWN_PX)))
    return Bill([*bill.lines, Line("s3_get", _MILLION)])


def gallery_pages(*, are_rendered: bool) -> Bill:
    """Return the bill of a million gallery pages: one picture at 640 px, the others beside it at 160 px."""
    large, small = (
        (_avif_gb(_SHOWN_PX), _avif_gb(_THUMBNAIL_PX)) if are_rendered else (_PICTURE_GB, _PICTURE_GB)
    )
    return shown((1, large), (_GALLERY - 1, small), answers_bytes=_answer_bytes(_GALLERY))


def category_pages(*, are_rendered: bool) -> Bill:
    """Return the bill of a million category pages of forty tiles at 320 px."""
    tile = _avif_gb(_TILE_PX) if are_rendered else _PICTURE_GB
    return shown((_TILES, tile), answers_bytes=_answer_bytes(_TILES))


def _avif_gb(width: str) -> float:
    return float(_billed()["rendering"]["avif_bytes"][width] / _GB)


def _answer_bytes(pictures: int) -> float:
    return float(_billed()["tiles_bytes"] * pictures / _TILES)


def renderings() -> Bill:
    """Return the bill of a million pictures rendered."""
    return _bill(CALLS["render"], ("render_image",), [])


def product_lists() -> Bill:
    """Return the bill of a million pages of ten products."""
    return _bill(CALLS["products"], ("products",), _BY_THE_CDN)


def storefront_answers() -> Bill:
    """Return the bill of a million galleries that the CDN asks the API for, the CDN's own share left out."""
    return _bill(CALLS["storefront gallery"], ("storefront",), [Line("api_request", _MILLION)])


def pages() -> Bill:
    """Return the bill of a million pages of a gallery of ten."""
    return _bill(
        CALLS["list"],
        ("gallery",),
        _BY_THE_CDN,
    )


def deletions() -> Bill:
    """Return the bill of a million pictures deleted, which the CDN is told to forget."""
    return _bill(
        CALLS["delete"],
        ("gallery", "forget_image"),
        [*_BY_THE_CDN, Line("cdn_invalidation", _MILLION)],
    )


def removals() -> Bill:
    """Return the bill of a million pictures removed with their products, the functions' time left out."""
    steps = _MILLION / REMOVED_AT_ONCE
    keys = _MILLION * (1 + _billed()["rendering"]["files"])
    return Bill(
        [
            Line("s3_put", keys / _KEYS_LISTED),
            Line("dynamodb_read", steps * sum(call.read_units for call in REMOVAL_STEP)),
            Line(
                "dynamodb_write",
                steps * sum(call.write_units for call in REMOVAL_STEP)
                + keys / _KEYS_LISTED * REMOVAL_NOTED.write_units,
            ),
            # Each is billed, however many a call takes.
            Line("event", _MILLION),
        ]
    )


def product(what: str) -> Bill:
    """Return the bill of a million times one of `OF_A_PRODUCT` by the API, without what belongs to it."""
    return _bill(OF_A_PRODUCT[what], ("products",), _BY_THE_CDN)


def followed() -> Bill:
    """Return the bill of a million events of the shop's catalogue, each of which renames a product.

    The function that follows it is taken to need the time and to log the bytes of the products function.
    """
    measured = _billed()["functions"]["products"]
    return _bill(
        OF_A_PRODUCT["follow"],
        (),
        [
            # The shop's own; to be told of it by a rule costs nothing.
            Line("event", _MILLION),
            Line("lambda_request", _MILLION),
            Line("lambda_gb_second", _gb_seconds("follow_catalogue", measured["median_billed_milliseconds"])),
            Line("log_gb", _MILLION * measured["bytes_logged"] / _GB),
        ],
    )


def idle_fetch_queue() -> Bill:
    """Return the bill of a month in which nothing is fetched: the queue is asked all the same."""
    seconds = _DAYS_OF_A_MONTH * 24 * 60 * 60
    return Bill([Line("sqs_request", POLLERS * seconds / POLL_SECONDS)])


def staff_looks() -> int:
    """Return how often the page of all staff together looks at a gallery in a month."""
    idle = STAFF_HOURS * 60 * 60 // IDLE_SECONDS
    return STAFF * STAFF_DAYS * (idle + BUSY_LOOKS)


def staff_pictures() -> int:
    """Return how many pictures all staff together put in in a month."""
    return STAFF * STAFF_DAYS * STAFF_PICTURES


def staff_page() -> Bill:
    """Return the bill of a month of the staff's page: its looks, and each picture shown and described once.

    A look costs the same whether the tag still fits (304) or not.
    """
    # A gallery of a day's pictures is read, not of the ten that are counted.
    looks = [
        line if line.price != "dynamodb_read" else Line(line.price, line.quantity * STAFF_PICTURES / _GALLERY)
        for line in pages().lines
    ]
    return Bill(
        [
            *_times(staff_looks(), looks),
            *_times(staff_pictures(), views_of_a_rendition().lines),
            *_times(staff_pictures(), _bill(CALLS["change"], ("gallery",), _BY_THE_CDN).lines),
        ]
    )


def staff_put_in() -> Bill:
    """Return the bill of the pictures that they put in: uploaded, inspected and rendered."""
    return Bill(
        _times(
            staff_pictures(),
            [*uploads(metadata="metadata", upload="upload with a key").lines, *renderings().lines],
        )
    )


def _times(number: int, lines: Iterable[Line]) -> list[Line]:
    """Return lines for so many of what they are a million of."""
    return [Line(line.price, line.quantity * number / _MILLION) for line in lines]


def storage() -> Bill:
    """Return the bill of a month in which a TB of pictures lies there."""
    pictures = _TB / _GB / _PICTURE_GB
    # In the table and in the gallery's index.
    record_bytes = 2 * (item_size(ready_record(PRODUCT_ID, FIRST_STORED_ID)) + _ITEM_OVERHEAD_BYTES)
    records_gb = pictures * record_bytes / _GB
    return Bill(
        [
            Line("s3_gb_month", _TB / _GB),
            Line("dynamodb_gb_month", records_gb),
            Line("dynamodb_recovery_gb_month", records_gb),
        ]
    )


def waiting(*functions: str) -> Line:
    """Return what each further 10 ms add to a million invocations of each of these functions."""
    return Line("lambda_gb_second", sum(_gb_seconds(name, _WAIT_MILLISECONDS) for name in functions))


def _gb_seconds(function: str, milliseconds: int) -> float:
    """Return what a million invocations are billed for: whole milliseconds, and all of the memory."""
    memory: int = _template()["Resources"][_LOGICAL_IDS[function]]["Properties"]["MemorySize"]
    return _MILLION * milliseconds / 1000 * memory / 1024


def _bill(calls: Iterable[Call], functions: Sequence[str], others: Sequence[Line]) -> Bill:
    """Return the bill of a million times these calls, by functions that take and log what was measured."""
    quantities = defaultdict[str, float](float)
    for call in calls:
        if call.operation in _PRICE_OF_CALL:
            quantities[_PRICE_OF_CALL[call.operation]] += _MILLION
        quantities["dynamodb_read"] += call.read_units * _MILLION
        quantities["dynamodb_write"] += call.write_units * _MILLION
    measured = _billed()["functions"]
    for name in functions:
        quantities["lambda_request"] += _MILLION
        quantities["lambda_gb_second"] += _gb_seconds(name, measured[name]["median_billed_milliseconds"])
        quantities["log_gb"] += _MILLION * measured[name]["bytes_logged"] / _GB
    lines = [Line(price, quantity) for price, quantity in quantities.items() if quantity]
    return Bill([*lines, *others])


def _lower_upload() -> dict[str, str]:
    kept = _kept_as_sent().usd
    primary = uploads().usd - uploads(metadata="metadata").usd
    index = Line("dynamodb_write", INDEX_UNITS * _MILLION).usd
    return {
        "CloudFront": "An upload form, whose bytes go to S3 directly; or the API's own address, the output "
        "`ApiUrl`, for scripts that upload much.",
        "S3": "`IncomingVersionDays` of 1, which saves two thirds of what files as they were sent take, "
        f"{kept:.2f}.",
        "Lambda": "Less waiting for AWS; less memory for the metadata function, and smaller images with it "
        "(`MaxImagePixels`).",
        "DynamoDB": f"Uploads that do not ask to be the primary: {primary:.2f} less. Without the index of "
        f"open records, {index:.2f} less, the reconciler would have to read the whole catalogue.",
        "API Gateway": "Its HTTP API costs less, and has neither TOKEN authorizers nor gateway responses.",
        "EventBridge": "Nothing: each change is one event.",
        "CloudWatch Logs": "Shorter lines.",
    }


def _lower_storage() -> dict[str, str]:
    return {
        "S3": "A lifecycle rule that moves what is seldom seen to a colder class. Removed images are "
        "billed as long as they are kept (`OldVersionDays`).",
        "DynamoDB": "Nothing worth it.",
    }


_LOWER_VIEW = {
    "CloudFront": "Renditions, below. Above 10 TB a month the price falls.",
    "S3": "A cache that hits: this is the price if it never does.",
}
_LOWER_DELETION = {
    "CloudFront": "`InvalidateDeleted=false`, all but the requests: the CDN then shows a deleted image for "
    "up to a day. The first 1,000 paths a month of an account cost nothing.",
    "DynamoDB": "Nothing worth it.",
    "S3": "Nothing worth it.",
    "API Gateway": "Nothing worth it.",
    "EventBridge": "Nothing: each change is one event.",
    "Lambda": "Nothing worth it.",
    "CloudWatch Logs": "Shorter lines.",
}
_LOWER_RENDERING = {
    "S3": "Fewer widths (`RenditionWidths`, `FallbackWidths`): each file is one PUT.",
    "Lambda": "Fewer widths, or a faster encoder (`AvifSpeed`).",
    "DynamoDB": "Nothing worth it.",
    "EventBridge": "Nothing: each change is one event.",
    "CloudWatch Logs": "Shorter lines.",
}
_LOWER_PAGE = {
    "API Gateway": "A client that keeps what it has been shown.",
    "Lambda": "Less memory, which is less processor too.",
    "CloudFront": "The API's own address.",
    "CloudWatch Logs": "Shorter lines.",
    "DynamoDB": "Smaller pages (`limit`).",
}


def render(written_from: str) -> str:
    """Return the page, which says that it was written from this commit."""
    prices, billed = _prices(), _billed()
    measured = billed["functions"]
    milliseconds = {name: each["median_billed_milliseconds"] for name, each in measured.items()}
    invocations = [measured[name]["invocations"] for name in _MEASURED_AT_REST]
    total = uploads().usd
    sources = sorted((each["source"], _each(each), each["known"]) for each in prices["prices"].values())
    return "\n".join(
        [
            "# What it costs\n",
            f"Written by `make cost` from {written_from}; do not edit.\n",
            paragraph(f"""
                For whoever pays the bill. By the end you know what a million uploads, views and deletions
                cost and what would lower each, and what a month of storage and of the staff's page costs.

                All figures are US dollars at the list prices of {prices["region"]} as we know them, without
                the free tier, for images of 1.5 MB. Prices change: check the pages named below. A test
                [counts](../bench/calls.py) calls and units. A GB is 10^9 bytes.
            """),
            paragraph(f"""
                **The time that is billed was measured on the local system, without AWS's network**:

                - {milliseconds["upload_image"]} ms for an upload of {billed["picture_bytes"] / 1e6:.1f} MB
                - {milliseconds["extract_metadata"]} ms for its inspection
                - {milliseconds["reserve_upload"]} ms for an upload form
                - {milliseconds["gallery"]} ms for a page, or for an image's record

                Those are medians of {min(invocations)} to {max(invocations)} warm invocations, in whole
                milliseconds as Lambda bills them. The time for which the emulator waits for logs is not in
                them. The machine's load average was {billed["load_average"]:g} on
                {billed["processors"]} processors (`{billed["command"]}`, {billed["measured_at"]},
                {billed["origin"]}). The bytes of logs are of a later run.

                On AWS the functions wait longer for S3 and DynamoDB. **Each further {_WAIT_MILLISECONDS} ms**
                in both functions adds {waiting(*_UPLOAD_FUNCTIONS).usd:.2f} to a million uploads:
                {waiting("upload_image").usd:.2f} for the upload function and
                {waiting("extract_metadata").usd:.2f} for the metadata function. To a million pages it adds
                {waiting("gallery").usd:.2f}. Your own REPORT lines say what you are billed (`Billed
                Duration`): put in the difference.
            """),
            _chapter("A million uploads", uploads(), _lower_upload()),
            paragraph(f"""
                These are direct uploads through the CDN, and each asks to be the primary. The authorizer runs
                once a minute for each key, which costs next to nothing. Otherwise:

                - with an `Idempotency-Key`: {uploads(upload="upload with a key").usd - total:+.2f}, which
                  are two writes
                - not asking to be the primary: {uploads(metadata="metadata").usd - total:+.2f}
                - to `ApiUrl`, without the CDN: {-_sum(uploads().by_service()["CloudFront"]):+.2f}
                - with a form and not as the primary: {form_uploads().usd:.2f} in all
                - fetched by their address: {fetches().usd:.2f} in all, if each server takes
                  {_FETCH_MILLISECONDS} ms and nothing has to wait
            """),
            _chapter("A million views", views(), _LOWER_VIEW),
            "Pages of a gallery of ten, a million of them, without the bytes of the answers:\n",
            _bill_table(pages(), _LOWER_PAGE),
            "Pages of ten products, a million of them, likewise:\n",
            _bill_table(product_lists(), _LOWER_PAGE),
            paragraph(f"""
                A million times one product, by the API through the CDN:

                - shown, with its primary (`GET`): {product("show").usd:.2f}
                - put (`PUT`): {product("put").usd:.2f}
                - removed (`DELETE`): {product("remove").usd:.2f}, without what belongs to it, for
                  which see the deletions below

                A million events of the [shop's catalogue](catalogue.md) that rename products cost
                {followed().usd:.2f}: {_sum(followed().by_service()["DynamoDB"]):.2f} for the records,
                {Line("event", _MILLION).usd:.2f} for the events themselves, the rest for the function. That
                function was not measured. It is taken to need the {milliseconds["products"]} ms of the
                products function.
            """),
            _chapter("A million images rendered", renderings(), _LOWER_RENDERING),
            _rendered(),
            _chapter("A million deletions", deletions(), _LOWER_DELETION),
            paragraph(f"""
                One deleted image is one path, however many files it has: half a cent.

                A product that is removed with its images is one path in all. A million images removed
                in this way cost {removals().usd:.2f}:
                {_sum(removals().by_service()["DynamoDB"]):.2f} for their records,
                {_sum(removals().by_service()["EventBridge"]):.2f} for an event each and
                {_sum(removals().by_service()["S3"]):.2f} to find their files. The time of the function was
                not measured on AWS, and is not in that. A million events that are sent to a webhook cost
                {Line("event_sent", _MILLION).usd:.2f}.
            """),
            _chapter("A TB kept for a month", storage(), _lower_storage()),
            _by_the_month(),
            "## Not counted\n",
            paragraph("""
                - Custom metrics, alarms and the dashboard, which are billed by the month whatever is uploaded
                - The bytes of answers to the internet
                - Retries, cold starts, the hourly run and failed images, which are rare
                - Logs that are kept
            """),
            "## Prices\n",
            table(["price page", "US dollars", "as known in"], sources, align="---"),
        ]
    )


def _by_the_month() -> str:
    """Say what a month of the staff's page costs, and one in which nothing is fetched."""
    page, pictures, queue = staff_page(), staff_put_in(), idle_fetch_queue()
    [polls] = queue.lines
    staff = f"""
        Assumed: {STAFF} people have a product open {STAFF_HOURS} hours on {STAFF_DAYS} days a month, and each
        puts in and describes {STAFF_PICTURES} images of 1.5 MB a day. The [page](staff-page.md) looks for
        news once a minute, and once a second in the three minutes of a day in which images come.

        - **The page: {page.usd:.2f}**, for {staff_looks():,} looks at a gallery of {STAFF_PICTURES} images,
          {staff_pictures():,} images shown at 640 px and as many descriptions. A look costs the same whether
          it brings something new or not (304). A page that nobody sees does not look.
        - **The images: {pictures.usd:.2f}**, for {staff_pictures():,} uploads with a key, inspected and
          rendered as above. To keep them is extra.

        The files of the page itself stay in browsers and caches, and cost next to nothing.
    """
    fetching = f"""
        {queue.usd:.2f} for the fetch queue: Lambda asks it for messages whether any come or not. AWS names
        five such requests at once at the least where the concurrency is bounded, as it is here
        ([scaling behavior for SQS](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html)).
        If each waits {POLL_SECONDS} s, the longest that SQS allows, these are {polls.quantity:,.0f} requests.
        AWS promises neither number: look at `NumberOfEmptyReceives` of the queue.
    """
    return "\n".join(
        [
            f"## Ten staff for a month: {page.usd + pictures.usd:.2f}\n",
            paragraph(staff),
            f"## A month in which nothing is fetched: {queue.usd:.2f}\n",
            paragraph(fetching),
        ]
    )


def _rendered() -> str:
    """Say what renditions save, and of what the figures are."""
    rendering, compared = _billed()["rendering"], _billed()["compared"]
    rows = [
        [what, f"{before.usd:.2f}", f"{after.usd:.2f}", f"1/{before.usd / after.usd:.0f}"]
        for what, before, after in (
            ("images shown at 640 px, each fetched from S3", views(), views_of_a_rendition()),
            *(
                (what, bill(are_rendered=False), bill(are_rendered=True))
                for what, bill in (
                    ("gallery pages: one at 640 px, nine at 160", gallery_pages),
                    ("category pages: forty tiles at 320 px", category_pages),
                )
            ),
        )
    ]
    before = f"""
        Each image becomes {rendering["files"]} files. The milliseconds are CPU of a photograph of 12
        megapixels, {rendering["picture_bytes"] / 1e6:.1f} MB, drawn as for the benchmark
        (`{rendering["command"]}`, {rendering["measured_at"]}, load average {rendering["load_average"]:g}).
        Waiting for AWS comes on top: {_WAIT_MILLISECONDS} ms of it add {waiting("render_image").usd:.2f}.

        The functions of the storefront, of the products and of forgetting an image were measured in another
        run ({compared["measured_at"]}, load average {compared["load_average"]:g}). An upload took
        {compared["upload_milliseconds"]} ms in it, so their milliseconds are scaled to the upload above.

        A million views, without and with renditions, pages from the CDN's caches:
    """
    after = f"""
        Files of {_avif_gb(_THUMBNAIL_PX) * 1e6:.1f} KB at 160 px, {_avif_gb(_TILE_PX) * 1e6:.1f} KB at 320
        and {_avif_gb(_SHOWN_PX) * 1e6:.1f} KB at 640, of the same photograph. What is left is mostly
        CloudFront's price of a request, which no smaller file lowers. Once a storefront's answer is too
        old, a cache asks the API again, once a minute at most. A million of these cost
        {storefront_answers().usd:.2f}.
    """
    heads = ["a million", "without, $", "with, $", "ratio"]
    return "\n".join([paragraph(before), table(heads, rows), paragraph(after)])


def _chapter(head: str, bill: Bill, lower: Mapping[str, str]) -> str:
    return f"## {head}: {bill.usd:.2f}\n\n{_bill_table(bill, lower)}"


def _bill_table(bill: Bill, lower: Mapping[str, str]) -> str:
    rows = [
        [service, f"{_sum(lines):.2f}", "; ".join(line.arithmetic() for line in lines), lower[service]]
        for service, lines in bill.by_service().items()
    ]
    return table(
        ["service", "$", "made of", "what would lower it"],
        [*rows, ["**together**", f"**{bill.usd:.2f}**", "", ""]],
        align="---",
    )


def _each(price: Mapping[str, Any]) -> str:
    return f"{price['usd']:.10f}".rstrip("0").rstrip(".") + f" per {price['per']:,} {price['unit']}"


def _sum(lines: Iterable[Line]) -> float:
    return sum(line.usd for line in lines)


@cache
def _prices() -> dict[str, Any]:
    prices: dict[str, Any] = json.loads(_PRICES.read_text())
    return prices


@cache
def _billed() -> dict[str, Any]:
    billed: dict[str, Any] = json.loads(BILLED.read_text())
    return billed


@cache
def _template() -> dict[str, Any]:
    return translate({}, {})


if __name__ == "__main__":
    PAGE.write_text(render(origin()))
