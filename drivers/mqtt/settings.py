"""What a site file and a device table may say about MQTT. Pure schemas: nothing here opens a file or a socket."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from drivers.mqtt.json_path import compile_path, is_open, keys_of
from drivers.numbers.point import NumberPoint, check_decimals
from drivers.numbers.types import ByteOrder, NumberType
from drivers.schema import DeviceSettings, DeviceTable, LinkSettings, Schema, TablePoint, check_fault_bits
from kit.mqtt_settings import BrokerSettings

KEY_LEVEL = "{key}"
MAX_BYTES = 65_536
MAX_PAYLOAD_BYTES = 16_777_216
"""No link may set more. A broker that speaks MQTT 5 is told never to send what no setting could let in."""


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


def checked_topic(text: str) -> str:
    """A topic filter in which one whole level may be `{key}`. Raises ValueError with what is wrong."""
    held = text.count(KEY_LEVEL)
    if held > 1 or (held and KEY_LEVEL not in text.split("/")):
        raise ValueError(f"in {text!r} {KEY_LEVEL} must be a whole level, once, as in device/{KEY_LEVEL}/event/up")
    plain = text.replace(KEY_LEVEL, "+")
    if "{" in plain or "}" in plain:
        raise ValueError(f"in {text!r} nothing but {KEY_LEVEL} may stand in braces")
    checked_filter(plain)
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


def _listed(value: object) -> object:
    """One value may stand without a list."""
    return tuple(value) if isinstance(value, list) else value if isinstance(value, tuple) else (value,)


DeviceTopic = Annotated[str, AfterValidator(checked_topic)]
TopicSuffix = Annotated[str, AfterValidator(checked_suffix)]
JsonPath = Annotated[str, AfterValidator(checked_path)]


class MqttLink(LinkSettings, BrokerSettings):
    """One broker. The session is kept by the broker while the box is away, so that QoS 1 messages wait for it.

    A message of more than `max_payload_bytes` is put aside with its size, and is never held whole in memory.
    `receive_maximum` bounds the messages taken and not yet in the history. MQTT 5 tells the broker; under 3.1.1 the
    box stops reading. `client_id` defaults to `sitewarden-<link id>`: on a broker shared by several boxes, set it.
    """

    driver: Literal["mqtt"] = "mqtt"
    session: Literal["persistent", "clean"] = "persistent"
    session_expiry_s: Annotated[int, Field(ge=0, le=4_294_967_295)] = 604_800
    retry_first_s: Annotated[float, Field(gt=0)] = 1.0
    retry_max_s: Annotated[float, Field(gt=0)] = 30.0
    max_payload_bytes: Annotated[int, Field(ge=1, le=MAX_PAYLOAD_BYTES)] = 262_144
    receive_maximum: Annotated[int, Field(ge=1, le=65_535)] = 2_000

    @property
    def effective_client_id(self) -> str:
        """The client id that the broker sees."""
        return self.client_id or f"sitewarden-{self.id}"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.retry_max_s < self.retry_first_s:
            raise ValueError("retry_max_s must not be below retry_first_s")
        return self


class MqttDevice(DeviceSettings):
    """One device: the topics it publishes on.

    Many devices may share one subscription: `{key}` in the topic stands for the level that tells them apart, and `key`
    is what stands there for this one (the DevEUI of a node, in the letters that the server uses).
    """

    topic: DeviceTopic
    key: Annotated[str, Field(pattern=r"^[^/+#\x00]{1,256}$")] | None = None
    qos: Literal[0, 1] = 1

    @property
    def filter(self) -> str:
        """The topic filter that is subscribed to for this device."""
        return self.topic.replace(KEY_LEVEL, "+")

    @property
    def key_level(self) -> int | None:
        """The level at which the key stands, from 0; None for a device without one."""
        return None if self.key is None else self.topic.split("/").index(KEY_LEVEL)

    @property
    def own_topic(self) -> str:
        """The topic with the device's key in it."""
        return self.topic.replace(KEY_LEVEL, self.key or "")

    @model_validator(mode="after")
    def _key_has_a_place(self) -> Self:
        if (self.key is None) != (KEY_LEVEL not in self.topic):
            raise ValueError(f"key and the level {KEY_LEVEL} in topic come together")
        return self


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


class ByteType(NumberType):
    """What a point's bytes mean: the types of registers, and single bytes. `bit` is one bit, `bits` are several."""

    UINT8 = "uint8"
    INT8 = "int8"
    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"
    BCD32 = "bcd32"
    BIT = "bit"
    BITS = "bits"


class BytePoint(NumberPoint):
    """One signal among bytes: `byte` is where it begins, from 0. Types, orders and sentinels are those of registers.

    A `bit` or `bits` point lies in a field of `field_bytes` (1 or 2); the order says which byte of two comes first.
    """

    byte: Annotated[int, Field(ge=0, lt=MAX_BYTES)]
    field_bytes: Literal[1, 2] = 1
    type: ByteType

    @property
    def size(self) -> int:
        """How many bytes hold the value."""
        return self.field_bytes if self.type.is_field else self.type.bytes

    @model_validator(mode="after")
    def _bits_are_named(self) -> Self:
        if self.type.is_field != (self.bit is not None):
            wanted = "needs bit: 0..15" if self.type.is_field else "has no bit: use type bit or bits"
            raise ValueError(f"type {self.type} {wanted}")
        if self.field_bytes > 1 and not self.type.is_field:
            raise ValueError(f"field_bytes belongs to types bit and bits; {self.type} says its own size")
        return self


def _kind_of_point(value: Any) -> str:
    among_bytes = "byte" in value if isinstance(value, dict) else isinstance(value, BytePoint)
    return "among bytes" if among_bytes else "of a message"


MessagePoint = Annotated[
    Annotated[FieldPoint, Tag("of a message")] | Annotated[BytePoint, Tag("among bytes")],
    Discriminator(_kind_of_point),
]


class MessageBytes(Schema):
    """The bytes that points with `byte` lie in. In a JSON message they stand at `path`, written as `encoding`; a
    message that is nothing but bytes has neither.

    Fewer bytes than the points need make them all BAD; with `length`, so does any other number of bytes. `order` holds
    for points that name none.
    """

    path: JsonPath | None = None
    encoding: Literal["hex", "base64"] | None = None
    length: Annotated[int, Field(ge=1, le=MAX_BYTES)] | None = None
    order: ByteOrder = ByteOrder.ABCD


Known = int | str | bool


class Where(Schema):
    """Something that a message says: one of the values `equals` (a text, a whole number, true or false) at `path`."""

    path: JsonPath
    equals: Annotated[
        tuple[Known, ...],
        BeforeValidator(_listed, json_schema_input_type=Known | list[Known]),
        Field(min_length=1, max_length=32),
    ]

    def fits(self, value: Any) -> bool:
        """Whether the value is one of them. true is not 1, and "3" is not 3."""
        if not isinstance(value, int | float | str):
            return False
        return any(value == known and isinstance(value, bool) == isinstance(known, bool) for known in self.equals)


Wheres = Annotated[
    tuple[Where, ...],
    BeforeValidator(_listed, json_schema_input_type=Where | list[Where]),
    Field(max_length=16),
]


class SameAs(Schema):
    """How a message is recognised that brings again what was heard: the values at all of `paths` are those of a message
    of the last `within_s`. It is counted and not kept again."""

    paths: Annotated[tuple[JsonPath, ...], Field(min_length=1, max_length=8)]
    within_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0


class MqttTable(DeviceTable):
    """A device model whose messages are one JSON document each, one bare number each (`plain`), or bytes: written as
    `hex` or `base64`, or as they are (`binary`).

    `private` names keys whose values are about a person (an identity number, a name). They are blotted out of the
    message before any of it is kept, as evidence or aside; nothing of the table may read them.

    A message that is not as all of `only` say, or is as one of `unless` says, is passed over and counted: another port
    of a node, another event of a server, what somebody simulates.
    """

    driver: Literal["mqtt"] = "mqtt"
    payload: Literal["json", "plain", "hex", "base64", "binary"] = "json"
    time: MessageTime | None = None
    bytes: MessageBytes | None = None
    only: Wheres = ()
    unless: Wheres = ()
    repeats: SameAs | None = None
    private: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    points: Annotated[tuple[MessagePoint, ...], Field(min_length=1)]

    @property
    def field_points(self) -> tuple[FieldPoint, ...]:
        """The points that are no bytes."""
        return tuple(point for point in self.points if isinstance(point, FieldPoint))

    @property
    def byte_points(self) -> tuple[BytePoint, ...]:
        """The points that lie among bytes."""
        return tuple(point for point in self.points if isinstance(point, BytePoint))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [point.key for point in self.points]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            raise ValueError(f"point keys stand twice: {', '.join(repeated)}")
        check_fault_bits(self.points)
        check_decimals(self.byte_points)
        if self.payload == "json":
            self._check_json()
        elif self.payload == "plain":
            self._check_plain()
        else:
            self._check_bytes()
        return self

    def _check_json(self) -> None:
        for point in self.field_points:
            if point.path is None:
                raise ValueError(f"point {point.key}: a json payload needs a path, for example $.{point.key}")
            if point.topic_suffix is not None:
                raise ValueError(f"point {point.key}: topic_suffix is for plain payloads only")
            self._check_private(f"point {point.key}", point.path)
        if (self.bytes is not None) != bool(self.byte_points):
            raise ValueError("bytes and points with byte come together: bytes says where in the message they lie")
        if self.bytes is not None and (self.bytes.path is None or self.bytes.encoding is None):
            raise ValueError("bytes of a json payload need path and encoding, for example $.data and base64")
        for name, path in self._other_paths():
            self._check_private(name, path)

    def _other_paths(self) -> list[tuple[str, str]]:
        paths = [("time", self.time.path)] if self.time else []
        paths += [("bytes", self.bytes.path)] if self.bytes and self.bytes.path else []
        paths += [("only", where.path) for where in self.only] + [("unless", where.path) for where in self.unless]
        return paths + [("repeats", path) for path in (self.repeats.paths if self.repeats else ())]

    def _check_private(self, name: str, path: str) -> None:
        steps = compile_path(path)
        for key in keys_of(steps):
            if key in self.private:
                raise ValueError(f"{name}: {key} is private and cannot be read")
        if self.private and is_open(steps):
            raise ValueError(f"{name}: {path} could come to what is private; name the keys instead of *")

    def _check_no_document(self, what: str) -> None:
        if self.time is not None:
            raise ValueError(f"{what} and carries no time")
        if self.private:
            raise ValueError(f"{what} and carries nothing private")
        if self.only or self.unless or self.repeats is not None:
            raise ValueError(f"{what}: only, unless and repeats are for json payloads")

    def _check_plain(self) -> None:
        self._check_no_document("a plain payload is a bare number")
        if self.bytes is not None or self.byte_points:
            raise ValueError("a plain payload is a bare number: bytes and byte are for the other payloads")
        for point in self.field_points:
            if point.path is not None or point.type != "number":
                raise ValueError(f"point {point.key}: path and type are for json payloads only")
            if point.fault:
                raise ValueError(f"point {point.key}: a plain message carries one point, and no fault bit beside it")
        suffixes = [point.topic_suffix for point in self.field_points]
        if len(suffixes) > 1 and (None in suffixes or len(set(suffixes)) < len(suffixes)):
            raise ValueError("a plain table with several points needs a different topic_suffix at each of them")

    def _check_bytes(self) -> None:
        self._check_no_document(f"a {self.payload} payload is nothing but bytes")
        if self.bytes is not None and (self.bytes.path is not None or self.bytes.encoding is not None):
            raise ValueError(f"a {self.payload} payload is nothing but bytes: path and encoding are for json payloads")
        for point in self.field_points:
            raise ValueError(f"point {point.key}: a {self.payload} payload needs byte, the position of its first byte")
