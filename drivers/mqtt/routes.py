"""Which devices a message on a topic is for: those of its filter, and where a level is a key, those that have it. Pure.

    application/+/device/{key}/event/up       one subscription; level 3 of the topic tells the nodes apart

In: devices' settings. Out: a `Route` for each filter that is subscribed to. Knows no broker and no payload.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from drivers.mqtt.settings import MqttDevice

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Route(Generic[T]):
    """What listens to one filter: `always`, or by the key that stands at a level of the topic (level -> key -> who)."""

    always: list[T] = field(default_factory=list)
    by_level: dict[int, dict[str, list[T]]] = field(default_factory=dict)

    def to(self, topic: str) -> list[T]:
        """Everybody that a message on this topic is for."""
        levels = topic.split("/")
        return [
            *self.always,
            *(one for level, by_key in self.by_level.items() for one in by_key.get(levels[level], ())),
        ]

    def keys_in(self, topic: str) -> list[str]:
        """The keys in this topic that nobody has."""
        levels = topic.split("/")
        return [levels[level] for level, by_key in self.by_level.items() if levels[level] not in by_key]


def routes_of(listeners: Sequence[tuple[MqttDevice, T]]) -> dict[str, Route[T]]:
    """Which device a message is for, by the filter it came under."""
    routes: dict[str, Route[T]] = {}
    for settings, listener in listeners:
        route = routes.setdefault(settings.filter, Route())
        if settings.key is None or settings.key_level is None:
            route.always.append(listener)
        else:
            route.by_level.setdefault(settings.key_level, {}).setdefault(settings.key, []).append(listener)
    return routes
