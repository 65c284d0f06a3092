"""Finds where the pixels of a JPEG end that has no end marker, by following its Huffman codes.

Nothing else tells whether they are all there, and what behind them is none of them. No value is worked out,
only how many bits it takes (ITU T.81, annexes F and G). Positions within data are bits.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from domain.public_copy.jpeg_header import Piece

MAX_DATA_BYTES, MAX_BLOCKS = 5_000_000, 2_500_000
"""How much is followed, so that it takes some seconds: all that a direct upload takes (4.5 MB), and what a
picture of 50 megapixels has in three colours."""

_DHT, _DRI, _SOS, _PROGRESSIVE = 0xC4, 0xDD, 0xDA, 0xC2
_FRAMES = frozenset({0xC0, 0xC1, _PROGRESSIVE})
_SEGMENT_HEADER_BYTES = 4
_BLOCK, _COEFFICIENTS, _MOST_ZEROS, _LONGEST_CODE = 8, 64, 15, 16
_OF_AC = 0x10
"""The bit that tells the tables of AC coefficients from those of DC (B.2.4.2)."""
_RESTART = rb"\xff[\xd0-\xd7]"
_LOW = 15
_PADDING = bytes(4)
"""Behind the data, so that a code that its end cuts is looked up like another."""
_NOWHERE = 1 << 40
"""As many bits as no data has: what follows a code that means nothing lies behind the end."""

type _Table = tuple[bytes, bytes]
"""How many codes there are of each length, and what they stand for."""
type _Walk = Callable[[bytes, int, int], int]
"""Takes data, the first unit in it and how many there are, and returns how many bits they take."""


class _Cut(Exception):  # noqa: N818 - it is no error but one of two answers
    """The data ends before the pixels do, or is no such data."""


class _Frame(NamedTuple):
    is_progressive: bool
    height: int
    width: int
    factors: dict[int, tuple[int, int]]
    """Blocks of each colour in a unit of all, across and down (A.1.1)."""

    def units(self, colours: Sequence[int]) -> int:
        """Return how many units a scan of these colours has: blocks if it is one, else groups (A.2)."""
        across = max(across for across, _ in self.factors.values())
        down = max(down for _, down in self.factors.values())
        if len(colours) > 1:
            return _share(self.width, _BLOCK * across) * _share(self.height, _BLOCK * down)
        own_across, own_down = self.factors[colours[0]]
        width, height = _share(self.width * own_across, across), _share(self.height * own_down, down)
        return _share(width, _BLOCK) * _share(height, _BLOCK)

    def blocks(self, colours: Sequence[int]) -> int:
        """Return how many blocks each unit of such a scan has."""
        if len(colours) == 1:
            return 1
        return sum(across * down for across, down in (self.factors[colour] for colour in colours))


class _Scan(NamedTuple):
    tables_of: dict[int, int]
    """The colours, and the numbers of their tables: that of DC and that of AC, four bits each."""
    first: int
    last: int
    is_refinement: bool
    low: int
    tables: dict[int, _Table]
    interval: int
    data: bytes


def end_of_pixels(pieces: Sequence[Piece]) -> int | None:
    """Return where in the last piece the pixels end; None if some are missing, or if it cannot be told.

    Each piece is a whole segment, that of a scan with its data; the last one is a scan.
    """
    try:
        frame, scans = _read(pieces)
        if frame is None or not _is_complete(frame, scans):
            return None
        used = _follow(frame, scans)
    except (_Cut, LookupError):
        # Tables or colours may be missing that a scan asks for.
        return None
    return len(pieces[-1]) - len(scans[-1].data) + used


def _read(pieces: Sequence[Piece]) -> tuple[_Frame | None, list[_Scan]]:
    frame, scans, tables, interval = None, list[_Scan](), dict[int, _Table](), 0
    for piece in filter(None, pieces):
        marker, length = piece[1], int.from_bytes(piece[2:4])
        payload = bytes(piece[_SEGMENT_HEADER_BYTES : 2 + length])
        if marker in _FRAMES:
            colours = (payload[at : at + 3] for at in range(6, len(payload), 3))
            factors = {identifier: (factor >> 4, factor & _LOW) for identifier, factor, _ in colours}
            height, width = int.from_bytes(payload[1:3]), int.from_bytes(payload[3:5])
            if not factors or any(0 in each for each in factors.values()):
                raise _Cut
            frame = _Frame(marker == _PROGRESSIVE, height, width, factors)
        elif marker == _DHT:
            tables |= _tables(payload)
        elif marker == _DRI:
            interval = int.from_bytes(payload)
        elif marker == _SOS:
            is_progressive = frame is not None and frame.is_progressive
            # Elsewhere the three say nothing.
            first, last, bits = payload[-3:] if is_progressive else (0, _COEFFICIENTS - 1, 0)
            tables_of = dict(zip(payload[1:-3:2], payload[2:-3:2], strict=True))
            data = bytes(piece[2 + length :])
            scans.append(
                _Scan(tables_of, first, last, bits > _LOW, bits & _LOW, dict(tables), interval, data)
            )
    return frame, scans


def _tables(payload: bytes) -> dict[int, _Table]:
    found, at = dict[int, _Table](), 0
    while at < len(payload):
        counts = payload[at + 1 : at + 1 + _LONGEST_CODE]
        end = at + 1 + _LONGEST_CODE + sum(counts)
        found[payload[at]] = counts, payload[at + 1 + _LONGEST_CODE : end]
        at = end
    return found


def _is_complete(frame: _Frame, scans: Sequence[_Scan]) -> bool:
    """Tell whether the scans hold all coefficients of all colours, to the last bit."""
    missing = {(colour, index) for colour in frame.factors for index in range(_COEFFICIENTS)}
    for scan in scans:
        if scan.low == 0:
            indices = range(scan.first, scan.last + 1)
            missing -= {(colour, index) for colour in scan.tables_of for index in indices}
    return not missing


def _follow(frame: _Frame, scans: Sequence[_Scan]) -> int:
    """Return how many bytes of the last scan's data the pixels take."""
    last = scans[-1]
    followed = [last]
    if last.first and last.is_refinement:
        # How long it is depends on which coefficients are not zero yet.
        followed = [scan for scan in scans if scan.first and scan.tables_of.keys() == last.tables_of.keys()]
    units = frame.units(list(last.tables_of))
    blocks = units * frame.blocks(list(last.tables_of)) * len(followed)
    if sum(len(scan.data) for scan in followed) > MAX_DATA_BYTES or blocks > MAX_BLOCKS:
        raise _Cut
    used, nonzero = 0, dict[int, int]()
    for scan in followed:
        used = _follow_scan(scan, units, _walk(frame, scan, nonzero))
    return used


def _follow_scan(scan: _Scan, units: int, walk: _Walk) -> int:
    start, unit = 0, 0
    while True:
        restart = re.compile(_RESTART).search(scan.data, start)
        stop = restart.start() if restart else len(scan.data)
        data = scan.data[start:stop].replace(b"\xff\0", b"\xff")
        count = min(scan.interval or units, units - unit)
        bits = walk(data + _PADDING, unit, count)
        unit += count
        used = _share(bits, 8)
        # Behind a byte of ones stands a zero.
        end = start + used + data.count(b"\xff", 0, used)
        if end > stop or (unit < units and restart is None):
            raise _Cut
        if unit == units:
            return end
        start = restart.end() if restart else end


def _walk(frame: _Frame, scan: _Scan, nonzero: dict[int, int]) -> _Walk:
    """Return what follows the data of such a scan."""
    if scan.first:
        number, *others = scan.tables_of.values()
        if others:
            raise _Cut
        codes = _looked_up(scan.tables[_OF_AC | number & _LOW], lambda symbol, bits: symbol << 5 | bits, 0)
        span = range(scan.first, scan.last + 1)
        follow = _refinement if scan.is_refinement else _first_pass
        return lambda data, unit, count: follow(data, range(unit, unit + count), span, codes, nonzero)
    layout = list[tuple[list[int], list[int]]]()
    for colour, number in scan.tables_of.items():
        across, down = frame.factors[colour] if len(scan.tables_of) > 1 else (1, 1)
        layout += [(_dc_steps(scan, number), _ac_steps(scan, number))] * (across * down)
    if scan.is_refinement:
        # One bit for each.
        return lambda _data, _unit, count: count * len(layout)
    return lambda data, _unit, count: _blocks(data, count, layout)


def _dc_steps(scan: _Scan, number: int) -> list[int]:
    """Return by the next 16 bits how many a DC coefficient takes."""
    if scan.is_refinement:
        return []
    return _looked_up(scan.tables[number >> 4], lambda size, bits: bits + size, _NOWHERE)


def _ac_steps(scan: _Scan, number: int) -> list[int]:
    """Return by the next 16 bits how many an AC coefficient takes, and in 7 bits more how far it leads."""
    if not scan.last:
        return [_COEFFICIENTS] * (1 << _LONGEST_CODE)

    def step(symbol: int, bits: int) -> int:
        zeros, size = symbol >> 4, symbol & _LOW
        is_last = not size and zeros < _MOST_ZEROS
        return (bits + size) << 7 | (_COEFFICIENTS if is_last else zeros + 1)

    return _looked_up(scan.tables[_OF_AC | number & _LOW], step, _NOWHERE << 7 | _COEFFICIENTS)


def _looked_up(table: _Table, value: Callable[[int, int], int], unknown: int) -> list[int]:
    """Return a value for each 16 bits that data may go on with, made of the symbol and its code's length."""
    counts, symbols = table
    found, at = list[int](), 0
    for bits, count in enumerate(counts, 1):
        for symbol in symbols[at : at + count]:
            found += [value(symbol, bits)] * (1 << _LONGEST_CODE - bits)
        at += count
        if len(found) > 1 << _LONGEST_CODE:
            raise _Cut
    return found + [unknown] * ((1 << _LONGEST_CODE) - len(found))


def _blocks(data: bytes, count: int, layout: Sequence[tuple[list[int], list[int]]]) -> int:
    """Follow units of blocks, each its DC coefficient and then the others (F.2.2)."""
    at, end = 0, 8 * len(data)
    for _ in range(count):
        for dc, ac in layout:
            at += dc[int.from_bytes(data[at >> 3 : (at >> 3) + 3]) >> 8 - (at & 7) & 0xFFFF]
            index = 1
            while index < _COEFFICIENTS:
                step = ac[int.from_bytes(data[at >> 3 : (at >> 3) + 3]) >> 8 - (at & 7) & 0xFFFF]
                at += step >> 7
                index += step & 0x7F
        if at > end:
            raise _Cut
    return at


def _first_pass(data: bytes, units: range, span: range, codes: list[int], nonzero: dict[int, int]) -> int:
    """Follow a band of AC coefficients (G.1.2.2), and note in `nonzero` by block which are there."""
    at, unit = 0, units.start
    while unit < units.stop:
        index, there, without = span.start, 0, 0
        while index < span.stop:
            symbol, at = _symbol(data, at, codes)
            zeros, size = symbol >> 4, symbol & _LOW
            if size:
                there |= 1 << index + zeros
                at += size
            elif zeros < _MOST_ZEROS:
                # So many blocks more have nothing.
                without = (1 << zeros) - 1 + _bits(data, at, zeros)
                at += zeros
                break
            index += zeros + 1
        if there:
            nonzero[unit] = nonzero.get(unit, 0) | there
        unit += 1 + without
    return at


def _refinement(data: bytes, units: range, span: range, codes: list[int], nonzero: dict[int, int]) -> int:
    """Follow the next bit of a band of AC coefficients (G.1.2.3): one for each that is not zero yet."""
    at, without = 0, 0
    for unit in units:
        there, index = nonzero.get(unit, 0), span.start
        while index < span.stop and not without:
            symbol, at = _symbol(data, at, codes)
            zeros, size = symbol >> 4, symbol & _LOW
            if not size and zeros < _MOST_ZEROS:
                without = (1 << zeros) + _bits(data, at, zeros)
                at += zeros
                break
            at += size
            while index < span.stop and (zeros or there >> index & 1):
                is_there = there >> index & 1
                at += is_there
                zeros -= 1 - is_there
                index += 1
            if size and index < span.stop:
                nonzero[unit] = nonzero.get(unit, 0) | 1 << index
            index += 1
        if without:
            at += (there >> index & (1 << max(0, span.stop - index)) - 1).bit_count()
            without -= 1
    return at


def _symbol(data: bytes, at: int, codes: list[int]) -> tuple[int, int]:
    code = codes[_bits(data, at, _LONGEST_CODE)]
    if not code or at > 8 * len(data):
        raise _Cut
    return code >> 5, at + (code & 0x1F)


def _bits(data: bytes, at: int, count: int) -> int:
    return int.from_bytes(data[at >> 3 : (at >> 3) + 3]) >> 24 - (at & 7) - count & (1 << count) - 1


def _share(whole: int, parts: int) -> int:
    return -(-whole // parts)
