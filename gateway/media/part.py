"""Everything that keeps pictures, as one part: one thing to make, to start, to ask and to close.

In: the box's stores, recorder, eyes and regulators. Out: a desk for the pages, and jobs that keep, send and expire.
"""

from collections.abc import Callable, Sequence

from gateway.line.recorder import Recorder
from gateway.line.reload import Change
from gateway.line.stores import BoxStores
from gateway.media.catching_up import Chain
from gateway.media.desk import MediaDesk
from gateway.media.expiry import KEPT_DAYS, MediaExpiry
from gateway.media.index import MediaIndex
from gateway.media.keeper import MediaKeeper
from gateway.media.kept import MediaClass
from gateway.media.rendition import Renditions
from gateway.media.sending import MediaCarrier, MediaSending
from gateway.media.shelf import MediaShelf
from gateway.media.stores import MediaStores
from gateway.part import Job, Part, Stop
from gateway.ports import Eyes
from gateway.settings import MediaSettings, Settings


class MediaPart(Part[Change]):
    """`desk` answers pages. `eyes` and `settings` are asked each time: a reload may change what they say."""

    def __init__(
        self,
        stores: BoxStores,
        recorder: Recorder,
        settings: Callable[[], Settings],
        eyes: Callable[[], Eyes | None],
        renditions: Renditions,
        carriers: Sequence[MediaCarrier],
    ) -> None:
        kept, alerts = settings().storage.media, stores.alerts
        index = MediaIndex(stores.folder)
        self.files = {"media.db": index}
        self.shelf = MediaShelf(stores.folder, int(kept.max_gib * 2**30), alerts.reserve.history_may_write)
        bodies = MediaStores(index, self.shelf, Chain(alerts.path), recorder, stores.clock)
        self.keeper = MediaKeeper(bodies, eyes, lambda: settings().points, renditions.thumb)
        self.desk = MediaDesk(bodies, renditions.blur, alerts)
        self._expiry = MediaExpiry(bodies, _kept_days(kept))
        self._sendings = [MediaSending(carrier, alerts, self.shelf, stores.clock) for carrier in carriers]
        recorder.listeners.append(self.keeper.told)
        recorder.listeners.extend(sending.told for sending in self._sendings)

    def jobs(self) -> Sequence[Job]:
        """They end once what is queued is judged: its pictures are kept too."""
        sendings = [Job(f"media:{sending.name}", sending.run, Stop.PICTURES) for sending in self._sendings]
        kept = Job("media", self.keeper.run, Stop.PICTURES), Job("media-expiry", self._expiry.run, Stop.PICTURES)
        return [*kept, *sendings]


def _kept_days(media: MediaSettings) -> dict[MediaClass, float]:
    return KEPT_DAYS | {
        MediaClass.FRAME: media.frame_days,
        MediaClass.STRIP: media.strip_days,
        MediaClass.CLIP: media.clip_days,
    }
