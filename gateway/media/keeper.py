"""Keeps what was seen when a camera alarm was raised: begins, stores bodies, seals; finishes after a restart.

    told: raised --begin (media.db)--> frame + strip --shelf, media.db--> MEDIA record + outbox rows (one commit)
                                        '--> clip, when its time has passed --------> MEDIA record + outbox rows

Theory of operation
    Each step leaves a note that the next start can go on from, whenever the process dies:

    killed before `begin`         the alarm is in alerts.db, nothing here: sealed as missing, `restart`
    killed before the body        BEGUN: the scene was in memory and is gone: sealed as missing, `restart`
    killed before the record      STORED: body and everything about it are on the disk: sealed now
    killed before the index       the record is in the chain: `catch_up` reads it first, so it is not sealed again

    A body that cannot be kept (no room, no frame, no clip) is sealed as missing with the reason. An alarm never waits
    for its pictures, and pictures never stop the alarms: what goes wrong here is logged and counted.

In: committed transitions, and the eyes. Out: bodies, records. Knows no rule and no picture.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson

from gateway.evidence.evidence import RecordKind, SealedRecord, hand_over_key
from gateway.line.recorder import Entry, Told
from gateway.media.catching_up import catch_up
from gateway.media.kept import MediaClass, MediaItem, MediaState
from gateway.media.rendition import Thumb, thumbnail_messages
from gateway.media.sealing import media_content, media_filed, media_messages
from gateway.media.shelf import DamagedError
from gateway.media.stores import MediaStores
from gateway.model.alarm import Alarm, Transition, TransitionKind
from gateway.model.alarm_note import NoteKind
from gateway.model.errors import StoreError
from gateway.model.picture import FiredScene, Picture
from gateway.model.quantity import PointTable
from gateway.ports import Eyes
from gateway.store.alert_store import Message

log = logging.getLogger(__name__)
CAMERA_KIND: Final = "camera-post"
STRIP_LENGTH: Final = 8
CLIP_BEFORE_S, CLIP_AFTER_S = 10.0, 10.0
CLIP_WAIT_S: Final = 60.0
SCENE_AGE_S: Final = 900.0
"""A scene further from the alarm than this is another one's: a finding may hold for a while before its rule fires."""
NS: Final = 1_000_000_000
SUMMARY_URGENCY: Final = 2
RESTART: Final = "restart: the box stopped before it was kept"


@dataclass(frozen=True, slots=True)
class CameraAlarm:
    """A raised alarm of a camera, as far as pictures of it are asked for."""

    alarm_id: str
    camera: str
    key: str
    raised_at_ns: int
    reportable: bool

    def item(self, media_class: MediaClass, place: int = 0) -> MediaItem:
        """What is about to be kept."""
        return MediaItem(self.alarm_id, self.camera, self.key, media_class, place, MediaState.BEGUN)

    @property
    def event_id(self) -> str:
        """The regulator's key of the alarm's raise."""
        return f"{self.alarm_id}:{TransitionKind.RAISED}"


class MediaKeeper:
    """One a box, made before the first alarm of this run can be raised. `told` listens to the recorder; `run` is
    supervised. `kept` and `missing` count since start."""

    def __init__(
        self,
        stores: MediaStores,
        eyes: Callable[[], Eyes | None],
        points: Callable[[], PointTable],
        thumb: Thumb | None = None,
    ) -> None:
        self._index, self._shelf, self._chain = stores.index, stores.shelf, stores.chain
        self._recorder, self._clock = stores.recorder, stores.clock
        self._eyes = eyes
        self._points = points
        self._thumb = thumb
        self._waiting: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._clips: set[asyncio.Task[None]] = set()
        self._disk = asyncio.Lock()
        self._left_open = stores.chain.open_alarms()  # before anything new can be raised
        self.kept = 0
        self.missing = 0

    def told(self, told: Sequence[Told]) -> None:
        """Take note of what was committed; cheap, and never waits."""
        for each in told:
            alarm = self._camera_alarm(each.transition) if each.transition is not None else None
            if alarm is not None:
                self._waiting.put_nowait(partial(self._keep_scene, alarm))
            elif each.record.kind is RecordKind.ALARM_NOTE:
                self._waiting.put_nowait(partial(self._follow_note, each.record.body))

    async def run(self) -> None:
        """Finish what the last run began, then work until cancelled. A clip under way is given up with it: it is found
        as begun by the next run."""
        await self.resume()
        try:
            while True:
                work = await self._waiting.get()
                await work()
        finally:
            clips = tuple(self._clips)
            for clip in clips:
                clip.cancel()
            await asyncio.gather(*clips, return_exceptions=True)

    async def resume(self) -> None:
        """What was begun is finished, or sealed as missing."""
        swept = await asyncio.to_thread(self._shelf.sweep_partial)
        await catch_up(self._index, self._chain)
        stored = self._index.in_state(MediaState.STORED)
        begun = [item.missing(RESTART) for item in self._index.in_state(MediaState.BEGUN)]
        for alarm_id in sorted({item.alarm_id for item in (*stored, *begun)}):
            alarm = await self._alarm(alarm_id)
            await self._seal([item for item in stored if item.alarm_id == alarm_id], alarm)
            await self._seal([item for item in begun if item.alarm_id == alarm_id], alarm)
        for open_alarm in self._left_open:
            forgotten = self._of_alarm(open_alarm)
            if forgotten is not None and not self._index.of_alarm(forgotten.alarm_id):
                items = [forgotten.item(MediaClass.FRAME), forgotten.item(MediaClass.CLIP)]
                await self._seal([item.missing(RESTART) for item in items], forgotten)
        if stored or begun or swept:
            log.warning("event=media_resumed finished=%d missing=%d partial=%d", len(stored), len(begun), swept)

    async def _keep_scene(self, alarm: CameraAlarm) -> None:
        """Frame and strip now, the clip later. A store that fails leaves the alarm to the next start."""
        try:
            begun = [alarm.item(MediaClass.FRAME), alarm.item(MediaClass.CLIP)]
            if not await self._begin(begun):
                return
            scene = self._scene(alarm)
            await self._seal(await self._stored_scene(alarm, scene), alarm)
        except StoreError as error:
            log.error("event=media_not_kept alarm=%s reason=%r", alarm.alarm_id, str(error))
            return
        at_ns = scene.captured_at_ns if scene is not None else alarm.raised_at_ns
        clip = asyncio.create_task(self._keep_clip(alarm, scene, at_ns), name=f"clip:{alarm.alarm_id}")
        self._clips.add(clip)
        clip.add_done_callback(self._clip_ended)

    async def _follow_note(self, body: bytes) -> None:
        """Pictures of an alarm that a person hands over to the regulator go too; nothing is sent twice."""
        said = orjson.loads(body)["content"]
        if said.get("transition") != NoteKind.HANDED_OVER:
            return
        alarm_id = said["alarm"]["alarm_id"]
        kept = [item for item in self._index.of_alarm(alarm_id) if item.state is MediaState.KEPT]
        alarm = self._chain.alarm(alarm_id)
        if kept and (alarm is None or not alarm.rule.reportable):
            handed = CameraAlarm(alarm_id, kept[0].camera, kept[0].key, 0, reportable=True)
            await self._seal(kept, handed, hand_over_key(alarm_id))

    async def _begin(self, items: Sequence[MediaItem]) -> bool:
        """Note it. Where the index cannot be written (a full disk) the chain alone will say what is missing."""
        try:
            return await asyncio.wrap_future(self._index.begin(items))
        except StoreError as error:
            log.error("event=media_index_failing reason=%r", str(error))
            return True

    def _scene(self, alarm: CameraAlarm) -> FiredScene | None:
        eyes = self._eyes()
        if eyes is None:
            return None
        try:
            scene = eyes.fired(alarm.camera, alarm.key)
        except KeyError:
            return None
        near = scene is not None and abs(scene.captured_at_ns - alarm.raised_at_ns) <= SCENE_AGE_S * NS
        return scene if near else self._last_still(alarm)

    def _last_still(self, alarm: CameraAlarm) -> FiredScene | None:
        """An ailment has no scene that fired: the newest still (faces blurred already) shows how the picture was."""
        eyes = self._eyes()
        still = eyes.still(alarm.camera) if eyes is not None else None
        if still is None:
            return None
        about = {"what": "newest still"}
        return FiredScene(alarm.camera, alarm.key, still.captured_at_ns, still, (), about, {})

    async def _stored_scene(self, alarm: CameraAlarm, scene: FiredScene | None) -> list[MediaItem]:
        frame = alarm.item(MediaClass.FRAME)
        if scene is None:
            return [frame.missing("no frame: the camera gave none")]
        strip = [alarm.item(MediaClass.STRIP, place) for place in range(len(scene.strip[-STRIP_LENGTH:]))]
        kept = await self._stored([(_with_scene(frame, scene), scene.frame)])
        pairs = zip(strip, scene.strip[-STRIP_LENGTH:], strict=True)
        return kept + await self._stored([(_with_scene(item, scene), picture) for item, picture in pairs])

    async def _stored(self, pairs: Sequence[tuple[MediaItem, Picture]], duration_ms: int = 0) -> list[MediaItem]:
        """The items with their bodies on the shelf and noted, or missing with the reason."""
        async with self._disk:
            stored = await asyncio.to_thread(lambda: [self._put(*pair, duration_ms) for pair in pairs])
        try:
            await asyncio.wrap_future(self._index.keep(stored))
        except StoreError as error:
            log.error("event=media_index_failing reason=%r", str(error))
        return stored

    def _put(self, item: MediaItem, picture: Picture, duration_ms: int) -> MediaItem:
        try:
            sha256 = self._shelf.put(picture.body)
        except (OSError, ValueError) as error:
            return item.missing(f"not kept: {error}")
        if sha256 != picture.sha256:
            return item.missing("not kept: the picture is not what its digest says")
        return item.of_picture(picture, duration_ms)

    async def _keep_clip(self, alarm: CameraAlarm, scene: FiredScene | None, at_ns: int) -> None:
        item = alarm.item(MediaClass.CLIP)
        item = _with_scene(item, scene) if scene is not None else item
        from_ns, to_ns = at_ns - int(CLIP_BEFORE_S * NS), at_ns + int(CLIP_AFTER_S * NS)
        clip, why = await self._clip(alarm.camera, from_ns, to_ns)
        if clip is None:
            await self._seal([item.missing(why)], alarm)
            return
        duration_ms = max(0, round((to_ns - clip.captured_at_ns) / 1e6))
        await self._seal(await self._stored([(item, clip)], duration_ms), alarm)

    async def _clip(self, camera: str, from_ns: int, to_ns: int) -> tuple[Picture | None, str]:
        eyes = self._eyes()
        if eyes is None:
            return None, "no clip: no camera"
        try:
            async with asyncio.timeout(CLIP_WAIT_S):
                return await eyes.clip(camera, from_ns, to_ns), ""
        except LookupError as error:
            return None, f"no clip: {error.args[0] if error.args else 'none is kept'}"
        except TimeoutError:
            return None, f"no clip within {CLIP_WAIT_S:.0f} s"

    async def _seal(self, items: Sequence[MediaItem], alarm: CameraAlarm, event_id: str = "") -> SealedRecord | None:
        """One record, and in the same commit what the regulators are to get, for the event that they know of."""
        if not items:
            return None
        uplinks = self._recorder.regulators if alarm.reportable else ()
        event = event_id or alarm.event_id
        messages = media_messages(items, event, uplinks)
        messages += await self._thumbnails(items, event, uplinks)
        content, about = media_content(items), media_filed(alarm.alarm_id)
        entry = Entry(RecordKind.MEDIA, self._clock.now_ns(), content, about=about, messages=messages)
        record = await self._recorder.record(entry)
        self.kept += sum(bool(item.sha256) for item in items)
        self.missing += sum(not item.sha256 for item in items)
        await catch_up(self._index, self._chain)
        return record

    async def _thumbnails(self, items: Sequence[MediaItem], event_id: str, uplinks: tuple[str, ...]) -> list[Message]:
        """A small picture of the frame, faces blurred, that needs no body. Without one the alarm is no poorer."""
        frame = next((item for item in items if item.media_class is MediaClass.FRAME and item.sha256), None)
        if frame is None or self._thumb is None or not uplinks:
            return []
        try:
            body = await asyncio.to_thread(self._shelf.read, frame.sha256)
            small = await asyncio.to_thread(self._thumb, body, frame)
        except (ValueError, LookupError, DamagedError) as error:
            log.warning("event=no_thumbnail alarm=%s reason=%r", frame.alarm_id, str(error))
            return []
        return thumbnail_messages(frame, small, event_id, uplinks, SUMMARY_URGENCY)

    def _clip_ended(self, clip: "asyncio.Task[None]") -> None:
        self._clips.discard(clip)
        if not clip.cancelled() and clip.exception() is not None:
            log.error("event=clip_not_kept task=%s reason=%r", clip.get_name(), str(clip.exception()))

    async def _alarm(self, alarm_id: str) -> CameraAlarm:
        alarm = self._chain.alarm(alarm_id)
        found = self._of_alarm(alarm) if alarm is not None else None
        return found or CameraAlarm(alarm_id, "", "", 0, reportable=True)

    def _camera_alarm(self, transition: Transition) -> CameraAlarm | None:
        return self._of_alarm(transition.alarm) if transition.kind is TransitionKind.RAISED else None

    def _of_alarm(self, alarm: Alarm) -> CameraAlarm | None:
        """Only what a camera's own point raised has pictures of it."""
        points = self._points()
        place = points.index_of.get(alarm.subject)
        if alarm.asset_kind != CAMERA_KIND or place is None:
            return None
        point = points[place]
        return CameraAlarm(alarm.alarm_id, point.device, point.quantity, alarm.raised_at_ns, alarm.rule.reportable)


def _with_scene(item: MediaItem, scene: FiredScene) -> MediaItem:
    return item.of_scene(scene.versions, scene.about)
