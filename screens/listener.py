"""The listening socket of a web face."""

import socket


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket, so that the address is known and callers may queue before the server serves. OSError.

    The protocol is named on purpose: with `socket.create_server` it reads 0, asyncio then leaves Nagle's algorithm on
    for every connection, and each answer waits 40 ms for a delayed acknowledgement.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener
