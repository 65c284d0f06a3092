"""A network that breaks: bytes go through to a server, and connections are cut in the middle of anything."""

import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread

_PIECE_BYTES = 8_192


@dataclass(slots=True)
class BrokenNetwork:
    """Cuts a connection with the given chance at each piece of up to 8 KB, whichever way that goes."""

    port: int
    chance: random.Random
    cut_of_pieces: float
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    cuts: int = 0
    _requests: Counter[str] = field(default_factory=Counter)
    _changed: Condition = field(default_factory=Condition)
    _lock: Lock = field(default_factory=Lock)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://localhost:{self.listener.getsockname()[1]}"

    def wait_for(self, number: int, method: str) -> None:
        """Return once so many more requests with this method have come."""
        with self._changed:
            wanted = self._requests[method] + number
            assert self._changed.wait_for(lambda: self._requests[method] >= wanted, timeout=1_200)

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            for one, other in ((client, server), (server, client)):
                Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while piece := one.recv(_PIECE_BYTES):
                method = piece[:5].partition(b" ")[0].decode("latin-1")
                if method in {"GET", "POST"}:
                    with self._changed:
                        self._requests[method] += 1
                        self._changed.notify_all()
                if self._is_cut():
                    break
                other.sendall(piece)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _is_cut(self) -> bool:
        with self._lock:
            is_cut = self.chance.random() < self.cut_of_pieces
            self.cuts += is_cut
            return is_cut


@contextmanager
def broken_network(port: int, seed: int, cut_of_pieces: float) -> Iterator[BrokenNetwork]:
    """Yield a broken way to a server on this machine."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    network = BrokenNetwork(port, chance, cut_of_pieces)
    Thread(target=network.serve, daemon=True).start()
    try:
        yield network
    finally:
        network.listener.close()
