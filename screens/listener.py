"""The listening socket of a web face."""

import socket
from typing import Final

GONE_AFTER_MS: Final = 20_000
"""A browser whose network is cut acknowledges nothing; without this limit it would count as listening for a quarter of
an hour."""


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket, so that the address is known and callers may queue before the server serves. OSError.

    The protocol is named on purpose: with `socket.create_server` it reads 0, asyncio then leaves Nagle's algorithm on
    for every connection, and each answer waits 40 ms for a delayed acknowledgement.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_AFTER_MS)  # every connection takes it over
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener
