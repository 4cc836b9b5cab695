"""What READY starts is a process of its own, as `python -m` would have started it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import free_port
from tests.fakes.ready_python import FRESH, PIPE, READY
from tests.fakes.screen_site import CRANES, PIT, write_site

LISTS = "tests.fakes.told_process"


def told(python, *arguments, stdin=b""):
    process = python.start(LISTS, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    process.stdin.write(stdin)
    process.stdin.close()
    answer = process.stdout.read().decode(), process.stderr.read().decode(), process.wait(30)
    process.stdout.close()
    process.stderr.close()
    return answer


def test_it_says_what_a_fresh_one_says(monkeypatch):
    monkeypatch.setenv("OF_THIS_TEST", "yes")
    fresh, ready = (told(python, "a", "b c", stdin=b"word\n") for python in (FRESH, READY))
    assert ready == fresh
    assert "'a', 'b c'" in ready[0]
    assert "OF_THIS_TEST=yes" in ready[0]
    assert "read 'word'" in ready[0]


@pytest.mark.parametrize("end", ["fail", "exit", "kill"])
def test_its_end_is_told_as_a_fresh_one_s(end):
    fresh, ready = (told(python, end) for python in (FRESH, READY))
    assert ready[2] == fresh[2] != 0
    assert ready[1].splitlines()[-1:] == fresh[1].splitlines()[-1:]


def test_a_box_in_it_hashes_with_hardly_any_work_and_in_a_fresh_one_as_in_the_field():
    fresh, ready = (told(python, "passwords") for python in (FRESH, READY))
    assert fresh[0].split() == ["m=65536,t=3,p=4"]
    assert ready[0].split() == ["m=8,t=1,p=1"]


def test_a_second_one_has_no_descriptor_of_the_first():
    first = READY.start(LISTS, "wait", stdin=PIPE, stdout=PIPE)
    assert first.stdout.readline() == b"waiting\n"
    assert first.poll() is None
    second, _, _ = told(READY, "descriptors")
    assert set(second.split()) == {"0", "1", "2"}
    first.kill()
    assert first.wait(30) == -9
    with pytest.raises(ProcessLookupError):
        os.kill(first.pid, 0)
    first.stdin.close()
    first.stdout.close()


def test_none_of_them_outlives_the_test_process():
    program = (
        f"from tests.fakes.ready_python import *; print(READY.start({LISTS!r}, 'wait', stdin=PIPE, stdout=PIPE).pid)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=100)
    gone = READY.start(LISTS, "until-gone", done.stdout.strip(), stdout=PIPE)
    assert gone.wait(60) == 0
    gone.stdout.close()


def test_a_gateway_that_was_killed_starts_again(tmp_path: Path):
    port = free_port()
    servers = {name: LibmodbusServer(1, 40, python=READY) for name in (*CRANES, PIT)}
    site = write_site(tmp_path, {name: server.port for name, server in servers.items()}, port)
    with GatewayProcess(site, f"http://127.0.0.1:{port}", python=READY) as gateway:
        before, points = gateway.pid, gateway.get("/api/points")
        gateway.kill()
        gateway.start()
        assert gateway.pid != before
        assert gateway.get("/api/points").keys() == points.keys()
    for server in servers.values():
        server.close()
