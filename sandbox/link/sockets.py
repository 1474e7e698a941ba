"""TCP sockets whose sending passes through the link. `install` makes them those of the whole process.

They cover what the standard library's HTTP and pysyncobj do: send, sendall, shutdown, close. A connection that exists
when a fault begins is concerned like any other. What the kernel answers by itself, such as a SYN, is not late.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.link.link import Link
from sandbox.link.outbox import Outbox

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_Plain = socket.socket
_BIND_ADDRESS_NO_PORT = 24
"""IP_BIND_ADDRESS_NO_PORT of Linux: the port is chosen by connect, which knows more free ones."""


class Twin:
    """The same connection once more: it never waits, and it stays when the other one is closed."""

    def __init__(self, fileno: int) -> None:
        self._socket = _Plain(fileno=os.dup(fileno))

    def write(self, data: bytes) -> int:
        """Send; returns how many bytes were taken, 0 where none can be now."""
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return 0

    def end(self) -> None:
        """Send no more."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Let the connection go."""
        self._socket.close()


class LinkSocket(socket.socket):
    """A socket of a pod: it sends through `link`, and from the pod's own address."""

    __slots__ = ("_outbox",)
    link = Link()
    address = ""
    listening: Callable[[str], None] = staticmethod(lambda _: None)
    """Called with each address at which this process begins to take connections."""

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        """Send, or leave it to the link."""
        if self.link.quiet or not self._held(bytes(data)):
            return super().send(data, flags)
        return memoryview(data).nbytes

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        """Send all, or leave it to the link."""
        if self.link.quiet or not self._held(bytes(data)):
            super().sendall(data, flags)

    def shutdown(self, how: int, /) -> None:
        """End sending once everything before has left."""
        if how == socket.SHUT_RD or self.link.quiet or not self._held(None):
            super().shutdown(how)
        elif how == socket.SHUT_RDWR:
            super().shutdown(socket.SHUT_RD)

    def connect(self, address: socket._Address, /) -> None:
        """Connect from the pod's address, as whoever is asked has to see it."""
        if self.family == socket.AF_INET and self.address and self.getsockname() == ("0.0.0.0", 0):
            self.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            self.bind((self.address, 0))
        super().connect(address)

    def listen(self, backlog: int = 128, /) -> None:
        """Listen, and tell the link where."""
        super().listen(backlog)
        if self.family == socket.AF_INET:
            self.listening(self.getsockname()[0])

    def _real_close(self) -> None:
        if not self.link.quiet:
            # Nothing is sent, but the end of the connection must not overtake what was.
            self._held(b"")
        super()._real_close()  # type: ignore[misc]

    def _held(self, data: bytes | None) -> bool:
        """Whether the link has taken it over."""
        if self.family != socket.AF_INET or self.type != socket.SOCK_STREAM:
            return False
        try:
            host = self.getpeername()[0]
        except OSError:
            return False  # not connected: the kernel has the word for it
        outbox: Outbox | None = getattr(self, "_outbox", None)
        self._outbox = self.link.hold(data, outbox, host, lambda: Twin(self.fileno()), self.gettimeout())
        return self._outbox is not None


def install(link: Link, address: str, listening: Callable[[str], None]) -> None:
    """Make every socket that this process makes from now on send through `link`, from the pod's `address`.

    listening: called with each address at which the process begins to take connections.
    """
    LinkSocket.link, LinkSocket.address, LinkSocket.listening = link, address, staticmethod(listening)
    # Also what `accept` makes: it looks the class up there.
    socket.socket = LinkSocket  # type: ignore[misc]


def uninstall() -> None:
    """Undo it, for tests."""
    socket.socket = _Plain  # type: ignore[misc]
