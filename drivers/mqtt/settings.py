"""What a site file and a device table may say about MQTT. Pure schemas: nothing here opens a file or a socket."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from drivers.mqtt.json_path import compile_path
from drivers.schema import DeviceSettings, DeviceTable, LinkSettings, Schema, TablePoint, check_fault_bits
from gateway.secret import Secret


def checked_filter(text: str) -> str:
    """An MQTT topic filter (MQTT 5, 4.7). Raises ValueError with what is wrong."""
    if not text or len(text.encode()) > 65_535 or "\0" in text:
        raise ValueError("a topic filter has 1 to 65535 bytes and no NUL")
    if text.startswith("$share/"):
        raise ValueError("a shared subscription would take away half of the messages; subscribe to the topic itself")
    levels = text.split("/")
    if any("+" in level and level != "+" for level in levels):
        raise ValueError(f"in {text!r} + must be a whole level, as in site/+/realtime")
    if any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        raise ValueError(f"in {text!r} # must be the last level, alone, as in site/#")
    return text


def checked_suffix(text: str) -> str:
    """The last levels of a topic, without wildcards. Raises ValueError with what is wrong."""
    if not text or text.startswith("/") or any(mark in text for mark in "+#\0"):
        raise ValueError(f"{text!r}: a suffix is the end of a topic, without leading / and wildcards, as in wind/speed")
    return text


def checked_path(text: str) -> str:
    """A path of `drivers.mqtt.json_path`. Raises ValueError with what is wrong."""
    compile_path(text)
    return text


TopicFilter = Annotated[str, AfterValidator(checked_filter)]
TopicSuffix = Annotated[str, AfterValidator(checked_suffix)]
JsonPath = Annotated[str, AfterValidator(checked_path)]


class TlsFiles(Schema):
    """PEM files. Without `ca_file` the system's authorities count; with `cert_file` the box shows a certificate."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _pair(self) -> "TlsFiles":
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file come together")
        return self


class MqttLink(LinkSettings):
    """One broker. The session is kept by the broker while the box is away, so that QoS 1 messages wait for it.

    `receive_maximum` bounds the messages taken and not yet in the history. MQTT 5 tells the broker; under 3.1.1 the
    box stops reading. `client_id` defaults to `sitewarden-<link id>`: on a broker shared by several boxes, set it.
    """

    driver: Literal["mqtt"] = "mqtt"
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    protocol: Literal["5", "3.1.1"] = "5"
    client_id: Annotated[str, Field(max_length=200)] = ""
    session: Literal["persistent", "clean"] = "persistent"
    session_expiry_s: Annotated[int, Field(ge=0, le=4_294_967_295)] = 604_800
    username: str = ""
    password: Secret | None = None
    tls: TlsFiles | None = None
    keepalive_s: Annotated[int, Field(ge=5, le=65_535)] = 30
    connect_timeout_s: Annotated[float, Field(gt=0, le=120)] = 5.0
    retry_first_s: Annotated[float, Field(gt=0)] = 1.0
    retry_max_s: Annotated[float, Field(gt=0)] = 30.0
    max_payload_bytes: Annotated[int, Field(ge=1, le=16_777_216)] = 262_144
    receive_maximum: Annotated[int, Field(ge=1, le=65_535)] = 2_000

    @property
    def effective_client_id(self) -> str:
        """The client id that the broker sees."""
        return self.client_id or f"sitewarden-{self.id}"

    @model_validator(mode="after")
    def _consistent(self) -> "MqttLink":
        if self.password is not None and not self.username:
            raise ValueError("a password needs a username")
        if self.retry_max_s < self.retry_first_s:
            raise ValueError("retry_max_s must not be below retry_first_s")
        return self


class MqttDevice(DeviceSettings):
    """One device: the topics it publishes on."""

    topic: TopicFilter
    qos: Literal[0, 1] = 1


class MessageTime(Schema):
    """Where a message carries the device's own time. Without an offset in ISO text, `utc_offset_minutes` tells it.

    A device clock more than `future_tolerance_s` ahead, or before 2000, is not believed: the time of receipt counts
    and the values are SUSPECT. Up to the tolerance the device's time counts as it is, so a table that allows more lets
    values into the history that are stamped in the future. `required: false` lets messages without the field pass with
    the time of receipt.
    """

    path: JsonPath
    format: Literal["s", "ms", "ns", "iso8601"]
    required: bool = True
    utc_offset_minutes: Annotated[int, Field(ge=-840, le=840)] | None = None
    future_tolerance_s: Annotated[float, Field(ge=0)] = 5.0


class FieldPoint(TablePoint):
    """One signal of a message: `path` in JSON, or for plain payloads the `topic_suffix` that carries it.

    `type`: what the JSON holds; `number_text` is a number in quotes, `number_or_text` a number with or without them
    (makers differ), `boolean` becomes 0 or 1. Another type is BAD.
    """

    path: JsonPath | None = None
    topic_suffix: TopicSuffix | None = None
    type: Literal["number", "boolean", "number_text", "number_or_text"] = "number"


class MqttTable(DeviceTable):
    """A device model whose messages are one JSON document each, or one bare number each (`plain`).

    `private` names keys whose values are about a person (an identity number, a name). They are blotted out of the
    message before any of it is kept, as evidence or aside; no point may read them.
    """

    driver: Literal["mqtt"] = "mqtt"
    payload: Literal["json", "plain"] = "json"
    time: MessageTime | None = None
    private: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    points: Annotated[tuple[FieldPoint, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> "MqttTable":
        keys = [point.key for point in self.points]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            raise ValueError(f"point keys stand twice: {', '.join(repeated)}")
        check_fault_bits(self.points)
        if self.payload == "json":
            self._check_json()
        else:
            self._check_plain()
        return self

    def _check_json(self) -> None:
        for point in self.points:
            if point.path is None:
                raise ValueError(f"point {point.key}: a json payload needs a path, for example $.{point.key}")
            if point.topic_suffix is not None:
                raise ValueError(f"point {point.key}: topic_suffix is for plain payloads only")
            for step in compile_path(point.path):
                if step in self.private:
                    raise ValueError(f"point {point.key}: {step} is private and cannot be read")

    def _check_plain(self) -> None:
        if self.time is not None:
            raise ValueError("a plain payload is a bare number and carries no time")
        if self.private:
            raise ValueError("a plain payload is a bare number and carries nothing private")
        for point in self.points:
            if point.path is not None or point.type != "number":
                raise ValueError(f"point {point.key}: path and type are for json payloads only")
            if point.fault:
                raise ValueError(f"point {point.key}: a plain message carries one point, and no fault bit beside it")
        suffixes = [point.topic_suffix for point in self.points]
        if len(suffixes) > 1 and (None in suffixes or len(set(suffixes)) < len(suffixes)):
            raise ValueError("a plain table with several points needs a different topic_suffix at each of them")
