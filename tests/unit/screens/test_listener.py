import socket

import pytest

from screens.listener import GONE_AFTER_MS, listen


def test_a_connection_whose_peer_is_silent_is_given_up_after_seconds_and_sends_at_once() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == GONE_AFTER_MS
            assert accepted.proto == socket.IPPROTO_TCP


def test_an_address_that_is_taken_is_an_error() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", listener.getsockname()[1])
