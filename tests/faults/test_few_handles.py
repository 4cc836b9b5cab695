"""A box with 1,024 file handles and 1,100 connections that ask for nothing: pages, stores and uplinks go on."""

import asyncio
import contextlib
import resource
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.field_site import write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.mosquitto import Mosquitto, free_port
from tests.fakes.mosquitto_pub import publish_file
from tests.fakes.waiting import wait_until

HANDLES, CROWD = 1_024, 1_100
TOPIC = "site/E2E-1/mast-1/realtime"


@contextlib.contextmanager
def handles(soft: int) -> Iterator[None]:
    """So many file handles for us and for what is started inside the block."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def handles_open(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_crowd_that_asks_for_nothing_starves_nobody(tmp_path: Path, begun: bytes) -> None:
    web_port = free_port()
    with Mosquitto() as field, Mosquitto() as receiver, contextlib.ExitStack() as crowd:
        receiver.stop()
        uplink = {"name": "dashboard", "kind": "mqtt", "host": "127.0.0.1", "port": receiver.port}
        site = write_site(
            tmp_path,
            crane_port=free_port(),
            broker_port=field.port,
            web_port=web_port,
            uplinks=[{**uplink, "topic_prefix": "sitewarden/e2e-box"}],
        )
        gateway = GatewayProcess(site, f"http://127.0.0.1:{web_port}")
        with handles(HANDLES):
            gateway.start()
        crowd.callback(gateway.stop)
        with handles(CROWD + HANDLES):
            for number in range(CROWD):
                address = ("127.0.0.1", web_port)
                caller = socket.create_connection(address, 20, (f"127.0.0.{2 + number % 4}", 0))
                crowd.enter_context(caller).sendall(begun)
            began_s = time.monotonic()
            with urllib.request.urlopen(f"{gateway.url}/login", timeout=20) as page:
                assert page.status == 200
            assert time.monotonic() - began_s < 1
            assert handles_open(gateway.pid) < HANDLES * 0.7
            receiver.start()
            receiver.wait_for_log("Received PUBLISH", deadline_s=30)
            (tmp_path / "message").write_bytes(b"no JSON")
            asyncio.run(publish_file(field, TOPIC, tmp_path / "message"))
            aside = tmp_path / "box" / "aside" / "mast-1-logger.jsonl"
            wait_until(aside.exists, "a store opens a file")
        assert "Too many open files" not in gateway.log.read_text()
