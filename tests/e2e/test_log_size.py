"""A crowd at a running box's page does not fill its disk with log lines."""

import contextlib
import resource
import socket
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from screens.log_limit import LINES_A_MINUTE
from tests.fakes.field_site import write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.influxdb import free_port
from tests.fakes.ready_python import READY
from tests.fakes.waiting import wait_until

CROWD = 3000
INVALID = "Invalid HTTP request received."
NO_HANDLE = "Too many open files"
A_LINE_BYTES = 1024
CONNECTIONS = 40


def _say_nonsense(port: int) -> bool:
    """One request that is none; True when it was answered."""
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), 20) as caller:
        caller.sendall(b"\x16\x03\x01nonsense\r\n\r\n")
        return caller.recv(100).startswith(b"HTTP/1.1 400")
    return False


def _site(folder: Path, port: int) -> Path:
    return write_site(folder, crane_port=free_port(), broker_port=free_port(), web_port=port, uplinks=[])


def test_a_crowd_that_speaks_no_http_is_told_once_a_second_at_most(tmp_path: Path) -> None:
    port = free_port()
    with GatewayProcess(_site(tmp_path, port), f"http://127.0.0.1:{port}", python=READY) as gateway:
        before, began_s = gateway.log.stat().st_size, time.monotonic()
        with ThreadPoolExecutor(8) as crowd:
            answered = sum(crowd.map(_say_nonsense, [port] * CROWD))
        assert answered > CROWD * 0.9
        minutes = 2 + int((time.monotonic() - began_s) / 60)  # it may begin in one minute and end in the next
        assert gateway.log.read_text().count(INVALID) <= minutes * (LINES_A_MINUTE + 1)
        grown = gateway.log.stat().st_size - before
        assert grown < minutes * 3 * LINES_A_MINUTE * A_LINE_BYTES
        gateway.stop()
        log = gateway.log.read_text()
        assert f"times more in the last minute: {INVALID}" in log
        assert "logger=uvicorn.error" in log, "the server's lines go the way of all others"


def test_a_box_without_a_handle_left_says_so_and_fills_no_log(tmp_path: Path) -> None:
    """Each try to accept a connection is a traceback of asyncio's, two thousand at a time."""
    port = free_port()
    with GatewayProcess(_site(tmp_path, port), f"http://127.0.0.1:{port}", python=READY) as gateway:
        before = gateway.log.stat().st_size
        open_now = len(list(Path(f"/proc/{gateway.pid}/fd").iterdir()))
        old = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (open_now, old[1]))
        with contextlib.ExitStack() as callers:
            for _ in range(CONNECTIONS):
                callers.enter_context(socket.create_connection(("127.0.0.1", port), 20))
            wait_until(lambda: gateway.log.read_text().count(NO_HANDLE) >= LINES_A_MINUTE, "it says so", 60)
            resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, old)
        wait_until(lambda: _healthy(port), "the box answers again", 30)
        gateway.stop()
        log = gateway.log.read_text()[before:]
        assert "Traceback (most recent call last):" in log, "the first is told whole"
        told = [line for line in log.splitlines() if "event=said_again" in line and "accept" in line]
        assert told, log[-2000:]
        assert len(log) < 10 * LINES_A_MINUTE * A_LINE_BYTES


def _healthy(port: int) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
        return True
    return False
