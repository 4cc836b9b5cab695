"""What a site file may say about an MQTT uplink. A pure schema: opens nothing."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from kit.mqtt_settings import BrokerSettings


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


class MqttUplinkSettings(BrokerSettings):
    """One broker to publish to. QoS 1 only: without an acknowledgement there is nothing to say a Receipt about.

    `max_in_flight` bounds the unanswered messages (the broker may ask for fewer); `ack_timeout_s` is how long none of
    them may be answered before the connection is given up. An empty `client_id` lets the broker choose.
    `home_assistant` is the prefix under which Home Assistant looks for devices, its own default being `homeassistant`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$")]
    kind: Literal["mqtt"]
    topic_prefix: TopicPrefix
    home_assistant: TopicPrefix | None = None
    qos: Literal[1] = 1
    alerts: bool = True
    readings: bool = True
    ack_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 256
    max_message_bytes: Annotated[int, Field(ge=8_192, le=268_435_455)] = 1_048_576

    @model_validator(mode="after")
    def _consistent(self) -> "MqttUplinkSettings":
        if not (self.alerts or self.readings):
            raise ValueError("alerts and readings are both false: this uplink would send nothing")
        return self
