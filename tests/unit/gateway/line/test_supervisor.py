import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.line.supervisor import BACKOFF_LIMIT_S, FIRST_BACKOFF_S, Supervisor, notify_systemd
from kit.clock import SimulatedClock
from tests.fakes.site import until


class Part:
    """Runs until told to crash or to end."""

    def __init__(self) -> None:
        self.starts = 0
        self.fate: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        self.starts += 1
        self.fate = asyncio.get_running_loop().create_future()
        await self.fate

    def crash(self) -> None:
        self.fate.set_exception(RuntimeError("a bug"))


@pytest.fixture
async def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
async def supervisor(clock: SimulatedClock) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(clock)
    yield supervisor
    await supervisor.stop()


async def test_a_part_that_crashes_is_started_again_and_logged_with_its_traceback(
    supervisor: Supervisor, clock: SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    part = Part()
    supervisor.start("pipeline", part.run)
    health = supervisor.parts["pipeline"]
    await until(lambda: part.starts == 1)
    assert health.running
    part.crash()
    await until(lambda: bool(clock._sleepers))
    assert (health.running, health.restarts, health.last_error) == (False, 1, "RuntimeError: a bug")
    await clock.advance(FIRST_BACKOFF_S)
    assert (part.starts, health.running) == (2, True)
    (record,) = [r for r in caplog.records if "event=part_crashed part=pipeline" in r.getMessage()]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None


async def test_a_part_that_merely_ends_is_started_again_too(supervisor: Supervisor, clock: SimulatedClock) -> None:
    part = Part()
    supervisor.start("web", part.run)
    await until(lambda: part.starts == 1)
    part.fate.set_result(None)
    await until(lambda: bool(clock._sleepers))
    assert supervisor.parts["web"].last_error == "ended without being asked to"
    await clock.advance(FIRST_BACKOFF_S)
    assert part.starts == 2


async def test_restarts_come_slower_and_slower_within_a_bound_and_fast_again_after_health(
    supervisor: Supervisor, clock: SimulatedClock
) -> None:
    part = Part()
    supervisor.start("uplink", part.run)
    await until(lambda: part.starts == 1)
    waits = []
    for _ in range(9):
        part.crash()
        await until(lambda: bool(clock._sleepers))
        waits.append((clock._sleepers[0][0] - clock.monotonic_ns()) / 1e9)
        await clock.advance(waits[-1] + 1e-6)
    ceilings = [min(BACKOFF_LIMIT_S, FIRST_BACKOFF_S * 2**n) for n in range(9)]
    assert all(ceiling / 2 - 1e-6 <= wait <= ceiling for wait, ceiling in zip(waits, ceilings, strict=True))
    await clock.advance(61)
    part.crash()
    await until(lambda: bool(clock._sleepers))
    assert (clock._sleepers[0][0] - clock.monotonic_ns()) / 1e9 <= FIRST_BACKOFF_S


async def test_one_crash_leaves_the_other_parts_alone(supervisor: Supervisor) -> None:
    sick, sound = Part(), Part()
    supervisor.start("sick", sick.run)
    supervisor.start("sound", sound.run)
    await until(lambda: sick.starts == sound.starts == 1)
    sick.crash()
    await until(lambda: not supervisor.parts["sick"].running)
    assert supervisor.parts["sound"].running
    assert sound.starts == 1


async def test_stop_ends_the_named_parts_and_then_the_rest(supervisor: Supervisor, clock: SimulatedClock) -> None:
    parts = {name: Part() for name in ("a", "b", "c")}
    for name, part in parts.items():
        supervisor.start(name, part.run)
    await until(lambda: all(part.starts for part in parts.values()))
    await supervisor.stop("a", "nobody")
    assert [supervisor.parts[name].running for name in parts] == [False, True, True]
    parts["b"].crash()
    await until(lambda: bool(clock._sleepers))
    await supervisor.stop()
    assert not any(health.running for health in supervisor.parts.values())
    await clock.advance(60)
    assert [part.starts for part in parts.values()] == [1, 1, 1]


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "socket.socket":
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(str(tmp_path / "notify"))
    server.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return server


def test_systemd_is_told_in_its_own_words(listener: "socket.socket") -> None:
    assert notify_systemd("READY=1")
    assert notify_systemd("WATCHDOG=1")
    assert [listener.recv(100), listener.recv(100)] == [b"READY=1", b"WATCHDOG=1"]
    listener.close()


def test_an_abstract_socket_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"\0{tmp_path}")
        server.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{tmp_path}")
        assert notify_systemd("STOPPING=1")
        assert server.recv(100) == b"STOPPING=1"


def test_without_systemd_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify_systemd("READY=1")


def test_a_systemd_that_does_not_listen_stops_nothing(listener: "socket.socket", tmp_path: Path) -> None:
    listener.close()
    assert not notify_systemd("READY=1")
    (tmp_path / "notify").unlink()
    assert not notify_systemd("READY=1")
