"""Builds everything that keeps pictures, for `app`: one thing to make, to start, to ask and to close.

In: the box's stores, recorder, eyes and regulators. Out: a desk for the pages, and parts for the supervisor.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.line.recorder import Recorder
from gateway.media.catching_up import Chain
from gateway.media.desk import MediaDesk
from gateway.media.expiry import KEPT_DAYS, MediaExpiry
from gateway.media.index import MediaIndex
from gateway.media.keeper import MediaKeeper
from gateway.media.kept import MediaClass
from gateway.media.rendition import Renditions
from gateway.media.sending import MediaCarrier, MediaSending
from gateway.media.shelf import DEFAULT_MAX_BYTES, MediaShelf
from gateway.media.stores import MediaStores
from gateway.model.quantity import PointTable
from gateway.ports import Clock, Eyes
from gateway.store.alert_store import AlertStore


@dataclass(frozen=True, slots=True)
class MediaNeeds:
    """What keeping pictures needs of the box. `eyes` and `points` are asked each time: a reload may change them."""

    folder: Path
    alerts: AlertStore
    recorder: Recorder
    clock: Clock
    eyes: Callable[[], Eyes | None]
    points: Callable[[], PointTable]
    renditions: Renditions
    max_bytes: int = DEFAULT_MAX_BYTES
    kept_days: Mapping[MediaClass, float] = field(default_factory=lambda: dict(KEPT_DAYS))
    carriers: Sequence[MediaCarrier] = ()


class MediaOffice:
    """`desk` answers pages; `parts` run under the supervisor, by name."""

    def __init__(self, needs: MediaNeeds) -> None:
        self.index = MediaIndex(needs.folder)
        self.shelf = MediaShelf(needs.folder, needs.max_bytes, needs.alerts.reserve.history_may_write)
        recorder, clock = needs.recorder, needs.clock
        stores = MediaStores(self.index, self.shelf, Chain(needs.alerts.path), recorder, clock)
        self.keeper = MediaKeeper(stores, needs.eyes, needs.points, needs.renditions.thumb)
        self.desk = MediaDesk(stores, needs.renditions.blur, needs.alerts)
        self.expiry = MediaExpiry(stores, needs.kept_days)
        self.sendings = [MediaSending(carrier, needs.alerts, self.shelf, clock) for carrier in needs.carriers]
        recorder.listeners.append(self.keeper.told)
        recorder.listeners.extend(sending.told for sending in self.sendings)

    @property
    def parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What runs."""
        sendings = {f"media:{sending.name}": sending.run for sending in self.sendings}
        return {"media": self.keeper.run, "media-expiry": self.expiry.run, **sendings}

    def close(self) -> None:
        """Let go of the index that lists the bodies."""
        self.index.close()
