"""`python -m benchmarks.load.server BEHAVIOUR CORE`: an HTTP server that does as planted, and knows what it did.

It answers any request without a body with 200. A line on its standard input is answered with a line of JSON, a
`Reading`; it ends with its standard input. It serves some 20,000 requests/s on a core of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import sys
import time
from dataclasses import asdict, dataclass

from benchmarks.load.planted import Behaviour

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"
END_OF_REQUEST = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Reading:
    """The server's own account of itself. Times are CLOCK_MONOTONIC; `cpu_ns` is the CPU time it has used."""

    port: int
    began_ns: int
    now_ns: int
    cpu_ns: int
    requests: int


class Server:
    """All connections of one server. Its service times are counted from when a request was read."""

    def __init__(self, behaviour: Behaviour, loop: asyncio.AbstractEventLoop) -> None:
        self.behaviour, self.loop = behaviour, loop
        self.began_ns = time.monotonic_ns()
        self.requests = 0
        self._immediate = behaviour == Behaviour()

    def serve(self, transport: asyncio.Transport) -> None:
        """Answer one request, now or when it is planted."""
        number, self.requests = self.requests, self.requests + 1
        if self._immediate:
            transport.write(ANSWER)
            return
        begins_ns = self.behaviour.begins_ns(time.monotonic_ns() - self.began_ns)
        done_ns = self.began_ns + begins_ns + self.behaviour.service_ns(number)
        self.loop.call_at(done_ns / 1e9, transport.write, ANSWER)  # asyncio's clock is time.monotonic()


class Connection(asyncio.Protocol):
    """One connection: requests are told apart by the blank line at their end."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Serve each request that is complete."""
        *whole, self._rest = (self._rest + data).split(END_OF_REQUEST)
        for _ in whole:
            self._server.serve(self._transport)


async def serve(behaviour: Behaviour) -> None:
    """Serve on a free port of loopback, and answer lines on standard input, until that ends."""
    loop = asyncio.get_running_loop()
    server = Server(behaviour, loop)
    listener = await loop.create_server(lambda: Connection(server), "127.0.0.1", 0, backlog=4096)
    port = listener.sockets[0].getsockname()[1]
    ended = asyncio.Event()

    def answer() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            ended.set()
            return
        reading = Reading(port, server.began_ns, time.monotonic_ns(), time.process_time_ns(), server.requests)
        print(json.dumps(asdict(reading)), flush=True)

    loop.add_reader(sys.stdin.fileno(), answer)
    await ended.wait()
    listener.close()


def main() -> None:
    """Serve as the command line says."""
    behaviour = Behaviour.parse(sys.argv[1])
    os.sched_setaffinity(0, {int(sys.argv[2])})
    # epoll's time-outs are whole milliseconds, select's are microseconds, at the price of 1,024 connections.
    selector = selectors.DefaultSelector() if behaviour == Behaviour() else selectors.SelectSelector()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(serve(behaviour))


if __name__ == "__main__":
    main()
