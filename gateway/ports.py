"""The borders of the gateway as Protocols: what a driver, an uplink and a clock must be.

Fakes implement these and pass the same contract suites as the real parts.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from contract.chain import ChainHead
from gateway.model.alarm import Transition
from gateway.model.alert import OutboxItem, Receipt
from gateway.model.camera_scores import CameraScores
from gateway.model.hook import HookPose
from gateway.model.picture import CameraState, FiredScene, Picture
from gateway.model.quantity import Point
from gateway.model.reading import Readings
from gateway.model.sight import CameraSight
from gateway.model.survey import Survey


class Clock(Protocol):
    """The only reader of time below `app`. Tests bring a simulated one and never sleep."""

    def now_ns(self) -> int:
        """The time of day as UTC nanoseconds since 1970."""
        ...

    def monotonic_ns(self) -> int:
        """For durations: nanoseconds that never jump."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds, as this clock counts them."""
        ...


class ReadingSink(Protocol):
    """Where drivers put what they read: the bounded queue before the pipeline."""

    def offer(self, readings: Readings) -> bool:
        """Queue a poll. False when the queue is full: the sink has counted it and marked the points UNKNOWN."""
        ...

    async def put(self, readings: Readings) -> Awaitable[None]:
        """Queue a message, waiting for room. The returned awaitable is done once the readings are in the history."""
        ...

    def set_aside(self, device: str, payload: bytes, reason: str) -> None:
        """Keep something that could not be understood (a poison message, a bad frame) with the reason, and count it."""
        ...


class LinkState(StrEnum):
    """How a device's link is. UP: the last poll or message was good. DOWN: backing off. STARTING: nothing yet."""

    STARTING = "starting"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """Counters of one device's link, for health pages and metrics. Counts since start.

    `skipped` are polls that were missed or met a full queue, and messages that were passed over. A link that heard
    messages for no device of its own has an entry too: `device` is then `link:` and the link's id, `failures`
    their number.

    `address` is where the device is asked now, `on_standby` whether that is the link's second address; `labels` are
    texts that the device says of itself (key, text), which are no readings.
    """

    device: str
    state: LinkState
    polls: int = 0
    failures: int = 0
    skipped: int = 0
    last_error: str = ""
    address: str = ""
    on_standby: bool = False
    labels: tuple[tuple[str, str], ...] = ()


class Driver(Protocol):
    """One protocol's worth of devices: reads, decodes, offers `Readings`. Never writes to the field."""

    name: str

    async def run(self, sink: ReadingSink) -> None:
        """Read until cancelled. A dead device is backed off from inside; only a bug escapes, for the supervisor."""
        ...

    def health(self) -> Sequence[LinkHealth]:
        """One entry a device; cheap, callable at any time."""
        ...


class Eyes(Protocol):
    """What the screens and the keeper of evidence ask of the cameras. `camera` is a device id. An unknown camera raises
    KeyError."""

    def cameras(self) -> Sequence[CameraState]:
        """All of them in the order of the site file; cheap, callable at any time."""
        ...

    def still(self, camera: str) -> Picture | None:
        """The newest still, faces blurred; None before the first frame."""
        ...

    def fired(self, camera: str, key: str) -> FiredScene | None:
        """What the newest confirmation of a finding was (`bare_head_1`), not blurred; None when there was none."""
        ...

    def sight(self, camera: str, now_ns: int) -> CameraSight:
        """What it could judge of the people it saw, by hour, and from which row of its picture on; cheap."""
        ...

    async def reference(self, camera: str) -> Picture | None:
        """A whole frame at full size, to draw on; None without a frame."""
        ...

    async def clip(self, camera: str, from_ns: int, to_ns: int) -> Picture:
        """MP4 of the packets between two times (from the key frame before), not re-encoded. Waits until `to_ns` has
        been recorded. Raises LookupError with the reason when there is none (no H.264, nothing kept of that time)."""
        ...

    def live(self, camera: str) -> AsyncIterator[bytes]:
        """Fragmented MP4, the initialisation segment first, not re-encoded. Raises LookupError as `clip` does; ends
        when the stream ends."""
        ...

    def surveys(self, camera: str) -> Sequence[Survey]:
        """What is drawn for the camera now: of one that turns, for each of its presets; none: nothing."""
        ...

    def use_survey(self, survey: Survey, reference: bytes, night: bytes = b"") -> None:
        """Judge by another version from now on, where the camera is at its preset. It was checked and kept before;
        `reference` is the JPEG it was drawn on, `night` the one by night, empty where it has none. Without a reference
        it is given up, and counts no more."""
        ...

    def use_scores(self, scores: CameraScores) -> None:
        """Judge the camera by its own operating scores from now on, where they were made for the model that looks. Told
        again and again; only what is new changes anything."""
        ...

    def hook_cranes(self) -> Sequence[str]:
        """The cranes under whose hooks cameras look for people."""
        ...

    def use_hooks(self, hooks: Sequence[HookPose]) -> None:
        """Take in where the cranes' hooks are now."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ReadingBlock:
    """Consecutive polls of one device, as the history keeps them: the unit of the backlog to an uplink.

    `points` (n,), `observed_at_ns` (p,) int64, `value` (p, n) float64, `quality` (p, n) uint8.
    """

    cursor: int
    device: str
    points: tuple[Point, ...]
    observed_at_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]


class Uplink(Protocol):
    """One receiver. Encodes and sends; answers Receipts for normal answers, never raises for them."""

    name: str
    takes_alerts: bool
    takes_evidence: bool
    takes_readings: bool

    async def send_alerts(self, batch: Sequence[OutboxItem]) -> Sequence[Receipt]:
        """Send outbox rows in order; exactly one Receipt an item."""
        ...

    async def send_readings(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        """Send history blocks; ACCEPTED moves the uplink's cursor past the last of them."""
        ...

    async def close(self) -> None:
        """Let go of every socket that it holds open."""
        ...


@runtime_checkable
class Background(Protocol):
    """An uplink with work of its own beside sending (heartbeats, a mailbox): `run` is supervised too."""

    async def run(self) -> None:
        """Do its work for as long as it is let run."""
        ...


@runtime_checkable
class Notifier(Protocol):
    """An uplink that tells people: it wants only some transitions, and may be named as the channel of escalations.

    An escalation is an outbox row of kind `escalation`, addressed to the uplink by its name.
    """

    takes_escalations: bool

    def wants(self, transition: Transition) -> bool:
        """Whether this transition is to be sent to it; asked once, when the transition is recorded. Pure."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class BoundDevice:
    """A configured device with its register or field table; `point_index[i]` is where table point i lands.

    `settings` and `table` are instances of the classes that the driver's `DriverKind` names.
    """

    settings: Any
    table: Any
    points: tuple[Point, ...]
    point_index: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class BoundLink:
    """One connection (a TCP endpoint, a serial bus, a broker) and the devices that share it."""

    settings: Any
    devices: tuple[BoundDevice, ...]


@dataclass(frozen=True, slots=True)
class LinkRemark:
    """Something that no schema sees in a link and its devices: what was found and expected, in both languages.

    `path` leads to the value from the entry of the device, of the link where `device` is ''. A warning stops no start.
    """

    path: tuple[str | int, ...]
    found_en: str
    expected_en: str
    found_zh: str
    expected_zh: str
    device: str = ""
    warning: bool = False


def _no_remarks(_link: BoundLink) -> Sequence[LinkRemark]:
    return ()


@dataclass(frozen=True, slots=True)
class DriverKind:
    """What a driver package brings: its settings schemas (pydantic models) and how it is built. One driver a link.

    `tables_of` names other drivers whose device tables this one reads as well (same registers, another wire).
    `asks`: its devices speak only when they are asked, so that a poll that failed is a request without an answer.
    `check` looks at a link and its devices together.
    """

    name: str
    link_settings: type[Any]
    device_settings: type[Any]
    table_settings: type[Any]
    build: Callable[[BoundLink, Clock], Driver]
    tables_of: tuple[str, ...] = ()
    asks: bool = False
    check: Callable[[BoundLink], Sequence[LinkRemark]] = _no_remarks


@dataclass(frozen=True, slots=True)
class AssetTag:
    """What a receiver may group an asset's series by: its kind (`tower-crane`, ...) and its serial number."""

    kind: str
    serial: str


BothWords = tuple[str, str]
"""One text in Chinese and in English."""


@runtime_checkable
class TellsFault(Protocol):
    """An uplink that knows what a person must mend in its settings or files."""

    def fault(self) -> BothWords:
        """Where and how, in both languages; '' twice when nothing is wrong."""


@dataclass(frozen=True, slots=True)
class UplinkContext:
    """What every uplink may know of the box it sends for. `folder` is the box's data folder (keys live there).

    `assets` maps an asset's id to its tag; an asset that is not in it is sent without kind or serial.
    """

    box_id: str
    project_code: str
    folder: Path
    clock: Clock
    chain_head: Callable[[], ChainHead]
    assets: Mapping[str, AssetTag] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UplinkFault:
    """Something that a schema cannot see in an uplink's settings: what was found and expected, in both languages.

    `path` leads from the uplink's entry to the value; with `file` it stands in that file instead, at `line` and `key`.
    """

    path: tuple[str | int, ...]
    found_en: str
    expected_en: str
    found_zh: str
    expected_zh: str
    file: str = ""
    line: int = 0
    key: str = ""


def _no_faults(_settings: Any, _assets: Collection[str]) -> Sequence[UplinkFault]:
    return ()


@dataclass(frozen=True, slots=True)
class UplinkKind:
    """What an uplink module brings: its settings schema (a pydantic model) and how it is built.

    `takes_escalations` says that it tells people and may be named as the channel of escalations. `check` looks at what
    the settings name: files of their own, and the site's assets by id.
    """

    name: str
    settings: type[Any]
    build: Callable[[Any, UplinkContext], Uplink]
    takes_escalations: bool = False
    check: Callable[[Any, Collection[str]], Sequence[UplinkFault]] = _no_faults
