"""What pages ask about an alarm's pictures, and the door to its case.

In: an alarm or a digest, and what is wanted. Out: items and bodies; faces are blurred in stills unless a case of the
alarm is open. A clip is never re-encoded: who may look at it, and that it is on record first, is the page's to see to.
A body whose digest does not match is an error, never a picture. Knows no HTTP and no role.
"""

import asyncio
from typing import Final

from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry
from gateway.media.kept import MediaBody, MediaCase, MediaClass, MediaError, MediaItem, MediaRefusal, MediaState
from gateway.media.rendition import Blur
from gateway.media.sealing import case_content, case_filed, read_case
from gateway.media.shelf import DamagedError, NotKeptError
from gateway.media.stores import MediaStores
from gateway.store.alert_store import AlertStore

SEALED_WITHIN_S: Final = 10.0
MOST_REASON_CHARACTERS: Final = 500


class MediaDesk:
    """Reads in threads, so that a slow disk or a large picture holds up nothing."""

    def __init__(self, stores: MediaStores, blur: Blur, alerts: AlertStore) -> None:
        self._index, self._shelf = stores.index, stores.shelf
        self._recorder, self._clock = stores.recorder, stores.clock
        self._blur = blur
        self._alerts = alerts
        self._case_door = asyncio.Lock()

    def of_alarm(self, alarm_id: str) -> list[MediaItem]:
        """Everything of one alarm: the frame, the strip oldest first, the clip; what is missing or expired too, with
        its reason. Empty for an alarm that no camera raised. Cheap; from any thread."""
        return self._index.of_alarm(alarm_id)

    def of_digest(self, sha256: str) -> list[MediaItem]:
        """The items with this body (two alarms may share one): for a route that knows only the digest."""
        return self._index.of_digest(sha256)

    async def body(self, alarm_id: str, sha256: str, *, unblurred: bool = False) -> MediaBody:
        """One body of an alarm. Stills come with faces blurred unless `unblurred`, which needs an open case of this
        alarm; clips come as they are. Raises MediaError: NOT_KEPT, DAMAGED, NO_CASE, NOT_BLURRED."""
        item = next((each for each in self.of_alarm(alarm_id) if each.sha256 == sha256), None)
        if item is None or item.state not in (MediaState.STORED, MediaState.KEPT):
            why = item.reason if item is not None else "this alarm has no such body"
            raise MediaError(MediaRefusal.NOT_KEPT, why or "it is kept no more")
        still = item.media_class is not MediaClass.CLIP
        if still and unblurred and not self.case_open(alarm_id):
            raise MediaError(MediaRefusal.NO_CASE, "no case of this alarm is open")
        body = await asyncio.to_thread(self._read, sha256)
        if not still or unblurred:
            return MediaBody(item, body, blurred=False)
        return MediaBody(item, await asyncio.to_thread(self._blurred, body, item), blurred=True)

    async def sound(self, sha256: str) -> bool:
        """Whether a body lies there and has the digest that was sealed, read just now."""
        try:
            await asyncio.to_thread(self._read, sha256)
        except MediaError:
            return False
        return True

    def case(self, alarm_id: str) -> MediaCase | None:
        """The newest case of an alarm, open or closed; None when there never was one. On the event loop only."""
        return read_case(self._alerts.evidence_of(case_filed(alarm_id)))

    def case_open(self, alarm_id: str) -> bool:
        """Whether its pictures may be seen as they were captured."""
        case = self.case(alarm_id)
        return case is not None and case.open

    async def open_case(self, alarm_id: str, user: str, reason: str) -> int:
        """Open the alarm's case; the number of the sealed record. Raises MediaError (ALREADY, NO_RECORD, NOT_KEPT for
        an alarm without pictures) and ValueError without a reason."""
        if not self.of_alarm(alarm_id):
            raise MediaError(MediaRefusal.NOT_KEPT, "this alarm has no pictures")
        return await self._change(alarm_id, "case_opened", user, reason)

    async def close_case(self, alarm_id: str, user: str, reason: str) -> int:
        """Close the case of an alarm; returns what `open_case` does."""
        return await self._change(alarm_id, "case_closed", user, reason)

    async def _change(self, alarm_id: str, event: str, user: str, reason: str) -> int:
        said = reason.strip()
        if not said or len(said) > MOST_REASON_CHARACTERS:
            raise ValueError(f"reason: expected 1 to {MOST_REASON_CHARACTERS} characters, got {len(said)}")
        async with self._case_door:
            if self.case_open(alarm_id) == (event == "case_opened"):
                raise MediaError(MediaRefusal.ALREADY, f"{event}: it is so already")
            content = case_content(alarm_id, event, user, said)
            entry = Entry(RecordKind.MEDIA_CASE, self._clock.now_ns(), content, about=case_filed(alarm_id))
            try:
                async with asyncio.timeout(SEALED_WITHIN_S):
                    return (await asyncio.shield(self._recorder.record(entry))).seq
            except TimeoutError:
                raise MediaError(MediaRefusal.NO_RECORD, "the case could not be put on record") from None

    def _read(self, sha256: str) -> bytes:
        try:
            return self._shelf.read(sha256)
        except NotKeptError:
            raise MediaError(MediaRefusal.NOT_KEPT, "the body is not on the disk") from None
        except DamagedError as error:
            raise MediaError(MediaRefusal.DAMAGED, str(error)) from None

    def _blurred(self, body: bytes, item: MediaItem) -> bytes:
        try:
            return self._blur(body, item)
        except ValueError as error:
            raise MediaError(MediaRefusal.NOT_BLURRED, str(error)) from None
