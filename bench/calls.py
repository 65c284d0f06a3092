"""What each route costs in calls to AWS and in units of DynamoDB: the one table of it.

`tests/integration/test_calls_to_aws.py` counts them through the functions themselves, `bench/growth.py` on
the emulator with large catalogues, and `bench/cost.py` prices them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One call, and the units it takes of DynamoDB: 4 KB read consistently, 1 KB written."""

    operation: str
    read_units: float = 0
    write_units: float = 0


_RECORD = (Call("TransactWriteItems", write_units=7),)
"""The record and its product's count, twice each in a transaction; the entries of both in the gallery's
index, and the record's in the index of open ones."""
_STORE = (*_RECORD, Call("PutObject"))
_OPEN, _PUBLISH, _TELL = Call("GetObject"), Call("PutObject"), Call("PutEvents")
_EMPTY = Call("DeleteObject")
"""Of the drop box; S3 bills no deletion."""
_COMPLETE = Call("UpdateItem", write_units=2)
"""The record, also in the gallery's index; in that of open ones it stays until it is rendered."""
_COMPLETE_PRIMARY = Call("TransactWriteItems", write_units=6)
"""The record and the product's item, twice each; the entries of both in the gallery's index."""
_COMPLETE_RENDERED = Call("UpdateItem", write_units=3)
"""The record, also in the gallery's index, and out of that of open ones."""
_ANNOUNCED = Call("GetItem", read_units=1)
_LOOK_UP = Call("BatchGetItem", read_units=2)
_TELL_CHANGE = (_TELL, Call("UpdateItem", write_units=3))
"""The record, also in the gallery's index, and out of that of open ones, into which the change put it."""

REMOVED_AT_ONCE = 25
"""Pictures whose records a step of a product's removal takes."""
REMOVAL_NOTED = Call("UpdateItem", write_units=3)
"""Before each step, whether it takes records or files: the removal's item, and its move in the index of open
ones."""
REMOVAL_STEP = (
    Call("Query", read_units=7),
    REMOVAL_NOTED,
    *[_TELL] * 3,  # ten events each
    Call("BatchWriteItem", write_units=2 * REMOVED_AT_ONCE),
)
"""A step of that; the records are those of the gallery's index too."""

CALLS: dict[str, tuple[Call, ...]] = {
    "authorize": (Call("GetItem", read_units=1),),
    "upload": _STORE,
    "upload with a key": (
        Call("PutItem", write_units=1),
        *_STORE,
        Call("UpdateItem", write_units=1),
    ),
    "upload replayed": (Call("PutItem", write_units=1),),
    "reserve": _RECORD,
    "list": (Call("Query", read_units=2),),
    "show": (_LOOK_UP,),
    "change": (_LOOK_UP, Call("TransactWriteItems", write_units=4), *_TELL_CHANGE),
    "change the primary": (_LOOK_UP, Call("TransactWriteItems", write_units=7), *_TELL_CHANGE),
    "reorder": (
        Call("Query", read_units=2),
        Call("TransactWriteItems", write_units=44),
        *_TELL_CHANGE,
    ),
    "delete": (
        _LOOK_UP,
        Call("TransactWriteItems", write_units=7),
        Call("DeleteObjects"),
        _TELL,
        Call("DeleteItem", write_units=2),
    ),
    "storefront gallery": (Call("Query", read_units=2),),
    "storefront primaries": (Call("BatchGetItem", read_units=1), Call("BatchGetItem", read_units=1)),
    "products": (
        Call("Query", read_units=0.5),
        Call("BatchGetItem", read_units=5),
        Call("BatchGetItem", read_units=5),
    ),
    "metadata": (_OPEN, _PUBLISH, _COMPLETE, _TELL, _EMPTY),
    "metadata of a primary": (_OPEN, _PUBLISH, _COMPLETE_PRIMARY, _TELL, _EMPTY),
    "metadata of a form": (_OPEN, _ANNOUNCED, _PUBLISH, _COMPLETE, _TELL, _EMPTY),
    "render": (
        Call("GetItem", read_units=1),
        _OPEN,
        *[_PUBLISH] * 9,  # six of AVIF and three of JPEG
        _COMPLETE_RENDERED,
        _TELL,
    ),
}
"""By route, warm: identifiers are leased. Units are those of a page and a gallery of ten pictures: a query
reads what the page shows, however large the gallery is, and a new order writes four for each picture: the
record twice, and its old and its new entry in the gallery's index."""

_LOOK_AT_PRODUCT = Call("BatchGetItem", read_units=2)
"""Its item, and the one that tells of its removal; what is not there is read too."""
OF_A_PRODUCT: dict[str, tuple[Call, ...]] = {
    "put": (_LOOK_AT_PRODUCT, Call("TransactWriteItems", write_units=6), Call("BatchGetItem", read_units=1)),
    "show": (Call("BatchGetItem", read_units=1), Call("BatchGetItem", read_units=0.5)),
    "follow": (_LOOK_AT_PRODUCT, Call("TransactWriteItems", write_units=4)),
    "remove": (_LOOK_AT_PRODUCT, Call("TransactWriteItems", write_units=7), _TELL),
}
"""A product that is put anew, is shown with its primary, is renamed by the shop's catalogue, and begins to be
removed: its items, and their entries in the indexes of products, of the gallery and of open records."""

FETCH: tuple[Call, ...] = (
    *_RECORD,
    Call("SendMessage"),
    Call("GetItem", read_units=1),
    # A turn at the host is taken and given back.
    Call("UpdateItem", write_units=1),
    Call("UpdateItem", write_units=1),
    Call("PutObject"),
)
"""A picture by its address, from the request until it lies where an upload does, fetched at once. One that
waits for its turn is read and put off once more."""


def read_units(route: str) -> float:
    """Return what a route reads of DynamoDB."""
    return sum(call.read_units for call in CALLS[route])


def write_units(route: str) -> float:
    """Return what a route writes to DynamoDB."""
    return sum(call.write_units for call in CALLS[route])
