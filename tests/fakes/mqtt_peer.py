"""The other end of a broker in tests: publishes as a field device would, listens as a dashboard would."""

import ssl
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from paho.mqtt import publish
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from tests.fakes.mosquitto import Mosquitto


def publish_all(
    broker: Mosquitto,
    messages: Sequence[tuple[str, bytes]],
    *,
    retain: bool = False,
    user: str = "",
    password: str = "",
) -> None:
    """Publish at QoS 1 and return when the broker has acknowledged every message."""
    publish.multiple(
        [(topic, payload, 1, retain) for topic, payload in messages],
        hostname=broker.host,
        port=broker.port,
        protocol=MQTTProtocolVersion.MQTTv5,
        auth={"username": user, "password": password} if user else None,
        tls=_tls(broker),
    )


def _tls(broker: Mosquitto) -> Any:
    if broker.certificates is None:
        return None
    return client_tls(broker)


def client_tls(broker: Mosquitto) -> ssl.SSLContext:
    """A context that shows the client certificate of the broker's test authority."""
    assert broker.certificates is not None
    context = ssl.create_default_context(cafile=broker.certificates.ca_file)
    context.load_cert_chain(broker.certificates.client.cert_file, broker.certificates.client.key_file)
    return context


class Listener:
    """Subscribes to everything under `topic` and keeps it. Entered once the broker has granted the subscription."""

    def __init__(self, broker: Mosquitto, topic: str = "#", *, user: str = "", password: str = "") -> None:
        self.messages: list[MQTTMessage] = []
        self._topic = topic
        self._changed = threading.Condition()
        self._granted = False
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if user:
            self._client.username_pw_set(user, password)
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic, qos=1)
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.connect(broker.host, broker.port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        self.wait_until(lambda: self._granted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait_for(self, count: int) -> list[MQTTMessage]:
        """Block until `count` messages have come."""
        self.wait_until(lambda: len(self.messages) >= count)
        return list(self.messages)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Block until `condition` holds, looking again at every message."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout=15):
                raise TimeoutError(f"{len(self.messages)} messages came")

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, codes: list[ReasonCode], *_: Any) -> None:
        with self._changed:
            self._granted = not codes[0].is_failure
            self._changed.notify_all()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()
