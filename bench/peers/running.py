"""How a peer gateway is started, counted and measured: the same for all of them."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt

from tests.fakes.waiting import wait_until

INSTALLED = Path("build/peers")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class NotInstalled(Exception):  # noqa: N818 - a fact about this machine
    """The peer cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where the devices and the broker are, and how many float32 a device has."""

    ports: tuple[int, ...]
    points: int
    broker_port: int
    poll_ms: int


class Counter:
    """Counts values at the broker; `values_in` reads one message of a peer."""

    def __init__(self, port: int, topic: str, values_in: Callable[[bytes], int]) -> None:
        self.values = 0
        self.messages = 0
        self._values_in = values_in
        self._ready = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="bench-counter")
        self._client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._count
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._ready.wait(10)

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _count(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        self.values += self._values_in(message.payload)
        self.messages += 1


def tree_cpu_s(pid: int) -> float:
    """CPU seconds of a process and all its living children."""
    total = 0.0
    todo = [pid]
    while todo:
        current = todo.pop()
        for task in Path(f"/proc/{current}/task").glob("*/children"):
            todo += [int(child) for child in task.read_text().split()]
        fields = Path(f"/proc/{current}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND
    return total


def run_peer(command: list[str], cwd: Path, env: dict[str, str], counter: Counter, seconds: float) -> dict[str, object]:
    """Start a peer on core 0, wait for its first values, measure, end it by its process group."""
    with (cwd / "peer.log").open("wb") as log:
        process = subprocess.Popen(
            ["taskset", "-c", "0", *command],
            cwd=cwd,
            env=os.environ | env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until(lambda: counter.values > 0, f"first values, see {cwd / 'peer.log'}", 90)
        time.sleep(5)
        before = (counter.values, tree_cpu_s(process.pid), time.monotonic())
        time.sleep(seconds)
        after = (counter.values, tree_cpu_s(process.pid), time.monotonic())
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    values, cpu_s, wall_s = (b - a for a, b in zip(before, after, strict=True))
    return {
        "readings_per_s": round(values / wall_s),
        "cpu_s_per_million": round(cpu_s / values * 1e6, 2) if values else None,
        "cpu_share_of_core": round(cpu_s / wall_s, 2),
    }


def install(command: list[str], cwd: Path) -> None:
    """Run an installation step. Raises NotInstalled with the installer's last words."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled(f"{' '.join(command[:3])}: {done.stderr.strip()[-300:]}")
