"""What a site file may say about an MQTT uplink. A pure schema: opens nothing."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from kit.secret import Secret


def checked_prefix(text: str) -> str:
    """The first levels of a topic. Raises ValueError with what is wrong."""
    if not text or len(text.encode()) > 1_000 or "\0" in text:
        raise ValueError("a topic prefix has 1 to 1000 bytes and no NUL")
    if any(mark in text for mark in "+#"):
        raise ValueError(f"{text!r}: + and # are for subscribers; a prefix is plain, as in sitewarden/box-1")
    if text.startswith(("/", "$")) or text.endswith("/"):
        raise ValueError(f"{text!r}: a prefix begins with neither / nor $ and ends without /, as in sitewarden/box-1")
    return text


TopicPrefix = Annotated[str, AfterValidator(checked_prefix)]


class _Schema(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class UplinkTls(_Schema):
    """PEM files. Without `ca_file` the system's authorities count; with `cert_file` the box shows a certificate."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _pair(self) -> "UplinkTls":
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file come together")
        return self


class MqttUplinkSettings(_Schema):
    """One broker to publish to. QoS 1 only: without an acknowledgement there is nothing to say a Receipt about.

    `max_in_flight` bounds the unanswered messages (the broker may ask for fewer); `ack_timeout_s` is how long none of
    them may be answered before the connection is given up. An empty `client_id` lets the broker choose.
    `home_assistant` is the prefix under which Home Assistant looks for devices, its own default being `homeassistant`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$")]
    kind: Literal["mqtt"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    protocol: Literal["5", "3.1.1"] = "5"
    topic_prefix: TopicPrefix
    home_assistant: TopicPrefix | None = None
    client_id: Annotated[str, Field(max_length=200)] = ""
    username: str = ""
    password: Secret | None = None
    tls: UplinkTls | None = None
    qos: Literal[1] = 1
    alerts: bool = True
    readings: bool = True
    keepalive_s: Annotated[int, Field(ge=5, le=65_535)] = 30
    connect_timeout_s: Annotated[float, Field(gt=0, le=120)] = 5.0
    ack_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 256
    max_message_bytes: Annotated[int, Field(ge=8_192, le=268_435_455)] = 1_048_576

    @model_validator(mode="after")
    def _consistent(self) -> "MqttUplinkSettings":
        if self.password is not None and not self.username:
            raise ValueError("a password needs a username")
        if not (self.alerts or self.readings):
            raise ValueError("alerts and readings are both false: this uplink would send nothing")
        return self
