"""Where a load waits for its harness: the socket, and the variables that say so."""

from __future__ import annotations

import os
import socket

TOKEN_VARIABLE = "GAMEDAY_LOAD_TOKEN"
"""What both ends must know."""
RELAY_VARIABLE = "GAMEDAY_RELAY"
LISTENER_VARIABLE = "GAMEDAY_LISTENER_FD"
"""The number of a listening socket that was inherited."""


def listen(address: str) -> socket.socket:
    """The socket for `HOST:PORT`, inherited where there is one, else bound now. Raises OSError, ValueError."""
    if descriptor := os.environ.get(LISTENER_VARIABLE):
        return socket.socket(fileno=int(descriptor))
    host, colon, port = address.rpartition(":")
    if not colon:
        raise ValueError("it is not HOST:PORT")
    return socket.create_server((host, int(port)))
