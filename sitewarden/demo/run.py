"""One run of the demonstration: the names that its parts share, and what it found. No part's libraries are needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIVE_PROJECT, LIVE_BOX, LIVE_CAMERA = "DEMO-0001", "demo-box", "cam-1"
"""The site that `config/sites/afternoon.yaml` describes, its box, and its camera as an asset of the box."""

MAX_GIB = 4.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`seconds` 0 runs until interrupted. Every run makes a folder of its own below `folder`.

    `sites` at the desk, with `days` of a made-up past. `tour` walks through both pages in a headless browser, saves the
    pictures below `pictures` (None: in the run's folder), and ends. A run ends by itself when its folder holds
    more than `max_gib`.
    """

    seconds: float
    headless: bool
    as_json: bool
    folder: Path
    seed: int
    sites: int
    days: int
    tour: bool = False
    pictures: Path | None = None
    max_gib: float = MAX_GIB

    @property
    def counts(self) -> bool:
        """Whether the run begins only when everything is there."""
        return self.tour or self.seconds > 0


@dataclass(frozen=True, slots=True)
class Latency:
    """From the register that first said 100 % until the regulator had accepted the alert, milliseconds."""

    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class DemoFigures:
    """What one run measured. `overloads_injected` began while the box was reading. `alerts_held` are the live box's
    transitions in the desk's database. `camera_alarms` counts the raises of what the camera saw, by rule, on the box,
    `camera_alarms_held` those at the desk, and `camera_pictures_held` the bodies of evidence there."""

    seconds: float
    readings: int
    history_rows: int
    overloads_injected: int
    alarms_raised: int
    alerts_sent: int
    alerts_held: int
    alerts_accepted: int
    alerts_lost: int
    alerts_duplicated: int
    change_to_alert_ms: Latency
    on_delay_ms: float
    chain_records: int
    chain_holds: bool
    camera_alarms: dict[str, int]
    camera_alarms_held: int
    camera_pictures_held: int
    folder: str

    @property
    def whole(self) -> bool:
        """Whether every injected overload arrived exactly once, and the chain holds."""
        return self.alerts_lost == 0 and self.alerts_duplicated == 0 and self.chain_holds


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may log in. `password` is meant to be shown."""

    login: str
    password: str
    name: str
    scope: str
    duties: tuple[str, ...]


SITE_PEOPLE = (
    Person("anquan", "anquan-demo-2026", "安全员", "site", ("safety_officer",)),
    Person("gongdi", "gongdi-demo-2026", "工地管理员", "site", ("administrator",)),
)
"""Who may log in on the site page."""


@dataclass(frozen=True, slots=True)
class DemoPlaces:
    """Where the demo can be reached, and who may log in at the desk."""

    site_url: str
    desk_url: str
    people: Mapping[str, Person]


def plain_person(said: Mapping[str, Any]) -> Person:
    """From the line that the founding process printed."""
    return Person(said["login"], said["password"], said["name"], said["scope"], tuple(said["duties"]))
