"""A crane that publishes what it shows, every few milliseconds, to a real broker; it moves only when it is told to."""

import json
import threading
import time
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

KEYS = ("load_t", "rated_t", "moment_pct", "radius_m", "hook_m", "slew_deg")
TABLE = {
    "version": 1,
    "model": "crane-mqtt",
    "driver": "mqtt",
    "title_zh": "塔机（MQTT）",
    "title_en": "Crane (MQTT)",
    "source": "made up",
    "certainty": "PD",
    "payload": "json",
    "time": {"path": "$.at_ms", "format": "ms"},
    "points": [
        {
            "key": key,
            "path": f"$.{key}",
            "unit": {"t": "t", "m": "m", "pct": "%", "deg": "deg"}[key.rsplit("_", 1)[1]],
            "min": -1,
            "max": 400,
            "title_zh": key,
            "title_en": key,
        }
        for key in KEYS
    ],
}


class TalkingCrane:
    """Publishes from entering to leaving the block. `swap` lets two keys trade places in what it says; `garbled` lets
    every second message be no JSON."""

    def __init__(self, port: int, topic: str, swap: tuple[str, str] | None = None, *, garbled: bool = False) -> None:
        self.state = {"load_t": 0.0, "rated_t": 4.0, "radius_m": 20.0, "hook_m": 15.0, "slew_deg": 350.0}
        self._topic, self._swap, self._garbled = topic, swap, garbled
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="talking-crane")
        self._client.connect("127.0.0.1", port)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(10)
        self._client.disconnect()
        self._client.loop_stop()

    def move(self, key: str, by: float) -> None:
        self.state[key] += by
        if key == "slew_deg":
            self.state[key] %= 360

    def _talk(self) -> None:
        count = 0
        while not self._over.wait(0.03):
            count += 1
            said = dict(self.state) | {"moment_pct": 100 * self.state["load_t"] / self.state["rated_t"]}
            if self._swap:
                first, second = self._swap
                said[first], said[second] = said[second], said[first]
            payload = json.dumps(said | {"at_ms": time.time_ns() // 1_000_000})
            self._client.publish(self._topic, payload[:20] if self._garbled and count % 2 else payload, qos=1)
