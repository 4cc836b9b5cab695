"""Faults of the soak: each is done to a running box, undone, and over when the box is well again.

Faults of receivers last `LINK_S`; of the disk, the handles and the memory until an overload was judged meanwhile.
"""

import contextlib
import os
import random
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt

from bench.soak_world import RECEIVERS, World, now_ns, pause
from tests.fakes.fault_proxy import Mode
from tests.fakes.waiting import wait_until

LINK_S = 12.0
MODES = tuple(mode for mode in Mode if mode is not Mode.PASS)
CLOCK_STEPS_S = (-86_400.0, -30.0, 30.0, 604_800.0)
SPARE_HANDLES, SPARE_MEMORY = 3, 24 * 2**20

Fault = Callable[[World, random.Random], None]


def kill(world: World, chance: random.Random) -> None:
    """kill -9 at any moment of the box's work."""
    polls = world.box.gateway.metric("sitewarden_polls")
    wanted = polls + chance.randint(30, 600)
    wait_until(lambda: world.box.gateway.metric("sitewarden_polls") >= wanted, "some polls", 60)
    world.box.gateway.kill()
    world.start()


def stall(world: World, chance: random.Random) -> None:
    """The process stands still, as in a suspended machine."""
    world.box.gateway.signal(signal.SIGSTOP)
    pause(chance.uniform(1.5, 5))
    world.box.gateway.signal(signal.SIGCONT)


def link(receiver: str, mode: Mode) -> Fault:
    """One receiver's connection misbehaves."""

    def do(world: World, _chance: random.Random) -> None:
        world.doors.misbehave(receiver, mode)
        pause(LINK_S)
        world.doors.misbehave(receiver, Mode.PASS)

    return do


def power_cut(world: World, chance: random.Random) -> None:
    """What was not synced is lost, and the box goes at the same moment."""
    pause(chance.uniform(0.2, 4))
    world.disk.cut()
    world.box.gateway.kill()
    world.disk.power_on()
    world.start()


def disk_error(world: World, _chance: random.Random) -> None:
    """ext4 turns read-only, and comes back as another mount."""
    world.disk.fail()
    world.next_overload()
    world.disk.come_back()


def disk_full(world: World, _chance: random.Random) -> None:
    """Not one more block fits, over an overload."""
    filler = world.disk.folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, os.statvfs(world.disk.folder).f_bavail * 4096)
    with (world.disk.folder / "filler-2").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    world.next_overload()
    for each in (filler, world.disk.folder / "filler-2"):
        each.unlink()


def few_handles(world: World, _chance: random.Random) -> None:
    """Hardly a file or connection more can be opened, over an overload."""
    opened = len(list(Path(f"/proc/{world.box.gateway.pid}/fd").iterdir()))
    before = resource.prlimit(world.box.gateway.pid, resource.RLIMIT_NOFILE)[0]
    world.limit(resource.RLIMIT_NOFILE, opened + SPARE_HANDLES)
    world.next_overload()
    if world.alive():
        world.limit(resource.RLIMIT_NOFILE, before)


def little_memory(world: World, _chance: random.Random) -> None:
    """Hardly more memory is given, over an overload."""
    pages = int(Path(f"/proc/{world.box.gateway.pid}/statm").read_text().split()[0])
    world.limit(resource.RLIMIT_AS, pages * resource.getpagesize() + SPARE_MEMORY)
    world.next_overload()
    if world.alive():
        world.limit(resource.RLIMIT_AS, resource.RLIM_INFINITY)


def clock_step(step_s: float) -> Fault:
    """The box's clock is moved over an overload, and set right."""

    def do(world: World, _chance: random.Random) -> None:
        began_ns = now_ns()
        world.box.gateway.put_forward(step_s)
        world.next_overload()
        world.settled()
        world.box.gateway.put_forward(-step_s)
        pause(2)
        world.shifted.append((began_ns, now_ns()))

    return do


FAULTS: dict[str, Fault] = (
    {"stall": stall, "power_cut": power_cut, "disk_error": disk_error, "disk_full": disk_full}
    | {"few_handles": few_handles, "little_memory": little_memory}
    | {f"{receiver}_{mode.value}": link(receiver, mode) for receiver in RECEIVERS for mode in MODES}
    | {f"clock_step_{step_s:+.0f}_s": clock_step(step_s) for step_s in CLOCK_STEPS_S}
)


def bad_inputs(world: World, chance: random.Random, count: int) -> int:
    """Garbage for the box's page, the desk's intake and the broker's topics; how many were sent. Raises AssertionError
    when one is answered with an internal error."""
    ports = [int(url.rsplit(":", 1)[1]) for url in (world.box.gateway.url, world.desk.url)]
    for _ in range(count // 2):
        answer = _asked(chance.choice(ports), _request(chance))
        assert not answer.startswith(b"HTTP/1.1 500"), answer
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", int(world.twins.ready["broker_port"]))
    client.loop_start()
    for _ in range(count - count // 2):
        topic = chance.choice(("site/DEMO-0001/mast-1/realtime", "site/DEMO-0001/mast-9/realtime", "nobody/asked"))
        client.publish(topic, _payload(chance), qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    return count


def _request(chance: random.Random) -> bytes:
    method = chance.choice((b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"\x16\x03\x01", b"G" * 300))
    address = chance.choice(
        (
            b"/",
            b"/login",
            b"/api/alarms?limit=-1",
            b"/api/points/%00",
            b"/v1/messages",
            b"/v1/enrol",
            b"/v1/blobs/x",
            b"*",
        )
    )
    body = _payload(chance)
    length = chance.choice((len(body), 0, len(body) + 5, -1))
    head = b"%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (method, address, length)
    return head + body


def _payload(chance: random.Random) -> bytes:
    whole = b'{"ts": 1, "wind_ms": 3.5, "values": [1, 2, {"a": null}]}'
    return chance.choice(
        (
            chance.randbytes(chance.randrange(2000)),
            whole[: chance.randrange(len(whole))],
            b"[" * 5000,
            b'{"wind_ms": "NaN"}',
            b'{"wind_ms": 1e999}',
            b"\xff\xfe" * 40,
            b"",
        )
    )


def _asked(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=3) as line, contextlib.suppress(OSError):
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        return line.recv(200)
    return b""
