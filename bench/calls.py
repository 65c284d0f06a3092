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


_RECORD = (Call("GetItem", read_units=1), Call("PutItem", write_units=2))
"""The product is there; the record, and its entry in the index of open ones."""
_STORE = (*_RECORD, Call("PutObject"))
_COMPLETE = (
    Call("PutObjectTagging"),
    Call("UpdateItem", write_units=2),  # ready, and out of the index
)
_INSPECT = (Call("GetObject"), *_COMPLETE)
_INSPECT_FORM = (
    Call("GetObject"),
    Call("ListObjectVersions"),
    Call("GetItem", read_units=1),  # what was announced
    *_COMPLETE,
)
_TELL = Call("PutEvents")
_MOVE_PRIMARY = Call("TransactWriteItems", write_units=4)
"""Two items, the pointer's and the record's condition, and a transaction's writes count twice."""
_LOOK_UP = Call("BatchGetItem", read_units=2)

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
    "list": (Call("Query", read_units=1),),
    "show": (_LOOK_UP,),
    "change": (_LOOK_UP, Call("TransactWriteItems", write_units=2)),
    "change the primary": (_LOOK_UP, _MOVE_PRIMARY),
    "reorder": (Call("Query", read_units=1), Call("TransactWriteItems", write_units=2)),
    "delete": (
        _LOOK_UP,
        Call("TransactWriteItems", write_units=5),
        Call("DeleteObject"),
        _TELL,
        Call("DeleteItem", write_units=2),
    ),
    "metadata": (*_INSPECT, _TELL),
    "metadata of a primary": (*_INSPECT, _MOVE_PRIMARY, _TELL),
    "metadata of a form": (*_INSPECT_FORM, _TELL),
}
"""By route, warm: identifiers are leased. Units are those of a gallery of one picture; what grows with it is
the query, by its size, and the transaction of a new order, by two for each picture."""


def read_units(route: str) -> float:
    """Return what a route reads of DynamoDB."""
    return sum(call.read_units for call in CALLS[route])


def write_units(route: str) -> float:
    """Return what a route writes to DynamoDB."""
    return sum(call.write_units for call in CALLS[route])
