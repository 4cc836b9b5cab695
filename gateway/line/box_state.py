"""The box's report of its own state to a regulator: version, rules, models, health.

In: the settings in force, the cameras, files. Out: the contract's `BoxState`, and the figures of a heartbeat. What is
not known is left out, never set to zero.
"""

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract import __version__
from contract.messages import BoxState, ModelState, RulePackState
from gateway.figures.disk import disk_outlook
from gateway.line.clock_state import ClockState, clock_state
from gateway.line.recorder import Recorder
from gateway.model.picture import CameraState
from gateway.ports import Clock
from gateway.settings import Settings
from gateway.store.alert_store import AlertStore
from gateway.store.disk_reader import disk_facts
from gateway.store.outbox_reader import OutboxReader

log = logging.getLogger(__name__)
DISK_EVERY_NS = 3_600_000_000_000
MOST_LISTED = 100


@dataclass(slots=True)
class BoxTelling:
    """Implements the regulator uplink's `BoxTeller`. `settings` and `cameras` are asked each time: a reload may change
    them. `folder` is the data folder."""

    settings: Callable[[], Settings]
    cameras: Callable[[], Sequence[CameraState]]
    folder: Path
    alerts: AlertStore
    recorder: Recorder
    clock: Clock
    ask_clock: Callable[[], ClockState] = clock_state
    _started_at_ns: int = field(init=False)
    _models: dict[str, tuple[str, str]] = field(default_factory=dict)
    _disk_days: int | None = None
    _disk_due_mono_ns: int = 0

    def __post_init__(self) -> None:
        self._started_at_ns = self.clock.now_ns()

    def state(self) -> BoxState:
        """What the box is and judges by."""
        settings = self.settings()
        packs = [
            RulePackState(name=pack.name, sha256=pack.sha256, origin=pack.origin.value) for pack in settings.rule_packs
        ]
        return BoxState(
            software=__version__,
            started_at_ns=self._started_at_ns,
            settings_sha256=settings.digest,
            rule_packs=tuple(packs[:MOST_LISTED]),
            models=self._models_now(),
            clock=self.ask_clock().sync.value,
        )

    def figures(self, uplink: str) -> Mapping[str, int]:
        """`waiting` for this uplink, and `disk_days_left`. While the disk takes no records also `store_failing`, and
        `unsealed`: how many of those that wait are in memory alone."""
        found: dict[str, int] = {}
        unsealed = self.alerts.unsealed.counts().get(uplink, 0)
        if self.recorder.failing_since_ns:
            found |= {"store_failing": 1, "unsealed": unsealed}
        try:
            found["waiting"] = OutboxReader(self.alerts.path).pending(uplink) + unsealed
        except (sqlite3.Error, OSError) as error:
            log.warning("event=outbox_not_counted uplink=%s reason=%r", uplink, str(error))
        days = self._disk()
        return found if days is None else found | {"disk_days_left": days}

    def _models_now(self) -> tuple[ModelState, ...]:
        """A camera whose picture is away for a moment is still looked at by the model that looked last."""
        cameras = self.cameras()
        for camera in cameras:
            said = model_of(camera.model_version)
            if said is not None:
                self._models[camera.camera] = said
        present = {camera.camera for camera in cameras}
        self._models = {name: said for name, said in self._models.items() if name in present}
        counted = sorted(Counter(self._models.values()).items())
        return tuple(ModelState(name=name, sha256=sha256, cameras=n) for (name, sha256), n in counted[:MOST_LISTED])

    def _disk(self) -> int | None:
        mono_ns = self.clock.monotonic_ns()
        if mono_ns >= self._disk_due_mono_ns:
            self._disk_due_mono_ns = mono_ns + DISK_EVERY_NS
            self._disk_days = self._measured()
        return self._disk_days

    def _measured(self) -> int | None:
        bound = int(self.settings().storage.history.max_gib * 2**30)
        try:
            days = disk_outlook(disk_facts(self.folder, bound, self.clock.now_ns())).days_left
        except (sqlite3.Error, OSError) as error:
            log.warning("event=disk_not_measured reason=%r", str(error))
            return None
        return None if days is None else int(days)


def model_of(version: str) -> tuple[str, str] | None:
    """Name with version, and the beginning of the digest, from what goes with every picture; None: nobody looks."""
    name, _, digest = version.rpartition(" ")
    is_digest = len(digest) >= 12 and all(letter in "0123456789abcdef" for letter in digest)
    return (name, digest) if name and is_digest else None
