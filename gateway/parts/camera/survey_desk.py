"""The survey desk: checks, keeps and seals each version of a drawing. Cameras are judged by the newest.

    drawn --> read_survey --> surveys/<camera>/v0004-...json --> chain (digest, who, why) --> Eyes.use_survey
                                        |
                                        '-- a kill here: the next start seals it and goes on

Going back to an old version makes a new one with the old content. A picture by night that a person confirmed makes one
as well; it stays with the versions after it while the lines of the edges, and the picture they are drawn on, stay. A
camera that turns has a drawing for each of its presets; one that is given up is a version without a picture. In: what a
person drew, as plain data. Out: versions. Knows no HTTP. One drawing at a time.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.model.errors import StoreError
from gateway.model.floor_rise import Rise
from gateway.model.night_picture import NightLook, NightPictureError
from gateway.model.picture import Picture
from gateway.model.survey import Survey, SurveyError
from gateway.model.verdict import Truth
from gateway.parts.camera.same_lines import lines_stay
from gateway.parts.camera.survey_store import KeptSurvey, SurveyStore
from gateway.ports import Clock, Eyes
from gateway.store.alert_store import AlertStore

log = logging.getLogger(__name__)
MOST_PRESETS: Final = 8
GIVEN_UP: Final = "given_up"
FLOOR_MOVED: Final = "floor_moved"
REFERENCES_HELD: Final = 8
"""Pictures that pages are being drawn on now and that no version holds yet."""


class OvertakenError(Exception):
    """Somebody else has drawn since the page was opened; `newest` is their version."""

    def __init__(self, newest: Survey) -> None:
        self.newest = newest
        super().__init__(f"{newest.camera}: version {newest.version} by {newest.made_by} came meanwhile")


class MovedError(Exception):
    """The camera looks elsewhere now than when the version was drawn that is taken up again."""


class NoReferenceError(Exception):
    """The picture that was drawn on is not there any more."""


class NoEdgesError(Exception):
    """A reference by night for a camera of which no edge is drawn: it is for the check of edges alone."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a person drew. `zones` and `edges` are plain data as `read_survey` takes them; `based_on` is the version
    that the page had shown (0: none); `copied_from` is set when an old version is taken up again. `preset` is where the
    camera looks, `event` the word that the record has for it."""

    camera: str
    zones: Sequence[Mapping[str, Any]]
    edges: Sequence[Mapping[str, Any]]
    reference_sha256: str
    user: str
    based_on: int
    copied_from: int = 0
    preset: str = ""
    event: str = "drawn"


@dataclass(frozen=True, slots=True)
class NightGiven:
    """The picture by night in which a person saw the protection in place along every line of version `based_on`; an
    empty digest leaves the one out that it has."""

    camera: str
    night_sha256: str
    user: str
    based_on: int
    preset: str = ""


class SurveyDesk:
    """Keeps and finds surveys. `read` is `vision.survey.parsing.read_survey`; `night_look` lays a picture by night over
    the one that was drawn on, `vision.edges.survey_night.night_look`; `has_moved` compares the picture that was drawn
    on with one of now, `vision.health.view_comparison.has_moved` (None: nobody compares). Whoever proposes where the
    lines are after the floor moved up is set as `propose_rises`, `vision.edges.floor_shift.floor_rises`."""

    def __init__(
        self,
        store: SurveyStore,
        read: Callable[[object], Survey],
        chain: AlertStore,
        recorder: Recorder,
        clock: Clock,
        night_look: Callable[[Survey, bytes, bytes], NightLook],
        has_moved: Callable[[bytes, bytes], Truth] | None = None,
    ) -> None:
        self.propose_rises: Callable[[Survey, bytes, bytes], Sequence[Rise]] | None = None
        self._store = store
        self._has_moved = has_moved
        self._night_look = night_look
        self._read = read
        self._chain = chain
        self._recorder = recorder
        self._clock = clock
        self._turn = asyncio.Lock()
        self._references: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def versions(self, camera: str) -> tuple[KeptSurvey, ...]:
        """Every version that was kept, the oldest first."""
        return self._store.versions(camera)

    def newest(self, camera: str, preset: str = "") -> KeptSurvey | None:
        """The version of a preset that counts."""
        return self._store.newest(camera, preset)

    def in_force(self, camera: str) -> dict[str, KeptSurvey]:
        """The versions that count, by preset."""
        return self._store.in_force(camera)

    def faults(self, camera: str) -> tuple[str, ...]:
        """What lies on the disk and cannot be used, and what was sealed and is not there."""
        there = {kept.sha256 for kept in self._store.versions(camera)}
        gone = [digest for digest in self._sealed(camera) if digest not in there]
        said = self._store.faults.get(camera, ())
        return (*said, *(f"{digest[:16]}…: was sealed and is not there" for digest in gone if not _named(digest, said)))

    async def resume(self, eyes: Eyes | None) -> None:
        """At the start: seal what a kill left unsealed, and have every camera judged by its newest versions."""
        if eyes is None:
            return
        for state in eyes.cameras():
            for fault in self.faults(state.camera):
                log.error("event=survey_unusable camera=%s fault=%r", state.camera, fault)
            await self._seal_left_over(state.camera)
            for kept in self._store.in_force(state.camera).values():
                body = await self.reference(state.camera, kept.survey.reference_sha256)
                eyes.use_survey(kept.survey, body, await self._night(kept.survey))

    async def hold(self, picture: Picture) -> str:
        """A picture to draw on; kept in memory until a version holds it. Returns its digest."""
        digest = hashlib.sha256(picture.body).hexdigest()
        self._references[picture.camera, digest] = picture.body
        while len(self._references) > REFERENCES_HELD:
            self._references.popitem(last=False)
        return digest

    async def reference(self, camera: str, sha256: str) -> bytes:
        """A picture that is drawn on, or was. Raises NoReferenceError."""
        held = self._references.get((camera, sha256))
        if held is not None:
            return held
        try:
            return await asyncio.to_thread(self._store.reference, camera, sha256)
        except StoreError as error:
            raise NoReferenceError(str(error)) from None

    async def save(self, drawn: Drawn, eyes: Eyes | None) -> Survey:
        """One more version; done once it is on the disk and sealed, whoever stops waiting.

        Raises SurveyError with every fault, OvertakenError, MovedError, NoReferenceError, StoreError.
        """
        return await asyncio.shield(asyncio.create_task(self._save(drawn, eyes)))

    async def look_at_night(self, camera: str, night_sha256: str, preset: str = "") -> NightLook:
        """How a picture by night lies over the newest version. Raises NoEdgesError, NoReferenceError."""
        newest = self._store.newest(camera, preset)
        if newest is None or not newest.survey.edges:
            raise NoEdgesError(camera)
        by_day = await self.reference(camera, newest.survey.reference_sha256)
        by_night = await self.reference(camera, night_sha256)
        return await asyncio.to_thread(self._night_look, newest.survey, by_day, by_night)

    async def floor_rises(self, camera: str, picture_sha256: str, preset: str = "") -> Sequence[Rise]:
        """How far the edges of the newest version have moved up in a picture of now, as a proposal; none where nobody
        proposes. Raises NoReferenceError."""
        newest = self._store.newest(camera, preset)
        if newest is None or self.propose_rises is None:
            return ()
        before = await self.reference(camera, newest.survey.reference_sha256)
        now = await self.reference(camera, picture_sha256)
        return await asyncio.to_thread(self.propose_rises, newest.survey, before, now)

    async def keep_night(self, given: NightGiven, eyes: Eyes | None) -> Survey:
        """The newest version once more, with a reference by night that a person confirmed (or without one).

        Raises NightPictureError, NoEdgesError, OvertakenError, NoReferenceError, StoreError, SurveyError.
        """
        return await asyncio.shield(asyncio.create_task(self._keep_night(given, eyes)))

    async def give_up(self, drawn: Drawn, eyes: Eyes | None) -> Survey:
        """Look for a preset no more: a version without zones, edges and picture. Raises OvertakenError, StoreError."""
        nothing = replace(drawn, zones=(), edges=(), reference_sha256="", event=GIVEN_UP)
        return await asyncio.shield(asyncio.create_task(self._save(nothing, eyes)))

    def check(self, drawn: Drawn, night_sha256: str = "") -> Survey:
        """What is drawn, as it would be kept. Raises SurveyError with every fault."""
        return self._read(
            {
                "camera": drawn.camera,
                "version": self._store.next_number(drawn.camera),
                "made_at_ns": self._clock.now_ns(),
                "made_by": drawn.user,
                "reference_sha256": drawn.reference_sha256,
                "zones": list(drawn.zones),
                "edges": list(drawn.edges),
                "night_sha256": night_sha256,
                "preset": drawn.preset,
            }
        )

    async def _save(self, drawn: Drawn, eyes: Eyes | None) -> Survey:
        async with self._turn:
            newest = self._store.newest(drawn.camera, drawn.preset)
            if newest is not None and newest.survey.version != drawn.based_on:
                raise OvertakenError(newest.survey)
            survey = self._with_night(drawn, self.check(drawn))
            if newest is None and len(self._store.in_force(drawn.camera)) >= MOST_PRESETS:
                raise SurveyError((f"preset: {MOST_PRESETS} presets are drawn; expected no more",))
            body = b"" if drawn.event == GIVEN_UP else await self.reference(drawn.camera, drawn.reference_sha256)
            if drawn.copied_from:
                await self._check_view(drawn.camera, body, eyes)
            await self._keep(survey, body, "copied" if drawn.copied_from else drawn.event, drawn.copied_from, eyes)
        return survey

    async def _keep_night(self, given: NightGiven, eyes: Eyes | None) -> Survey:
        async with self._turn:
            newest = self._store.newest(given.camera, given.preset)
            if newest is None or not newest.survey.edges:
                raise NoEdgesError(given.camera)
            if newest.survey.version != given.based_on:
                raise OvertakenError(newest.survey)
            if given.night_sha256:
                look = await self.look_at_night(given.camera, given.night_sha256, given.preset)
                if look.faults:
                    raise NightPictureError(look.faults)
            zones, edges = plain(newest.survey)
            digest = newest.survey.reference_sha256
            drawn = Drawn(given.camera, zones, edges, digest, given.user, given.based_on, preset=given.preset)
            survey = self.check(drawn, given.night_sha256)
            body = await self.reference(given.camera, digest)
            await self._keep(survey, body, "night_confirmed" if given.night_sha256 else "night_left_out", 0, eyes)
        return survey

    async def _keep(self, survey: Survey, body: bytes, event: str, copied_from: int, eyes: Eyes | None) -> None:
        """On the disk, in the chain, and judged by."""
        night = await self._night(survey)
        kept = await asyncio.to_thread(self._store.keep, survey, body, night)
        await self._seal(kept, event, copied_from)
        for digest in (survey.reference_sha256, survey.night_sha256):
            self._references.pop((survey.camera, digest), None)
        if eyes is not None:
            eyes.use_survey(survey, body, night)

    async def _night(self, survey: Survey) -> bytes:
        return await self.reference(survey.camera, survey.night_sha256) if survey.night_sha256 else b""

    def _with_night(self, drawn: Drawn, survey: Survey) -> Survey:
        """A drawing with the reference by night of the version that it comes from: what a person confirmed holds while
        the lines and the picture that they are drawn on are the same."""
        number = drawn.copied_from or drawn.based_on
        before = next((kept.survey for kept in self.versions(drawn.camera) if kept.survey.version == number), None)
        if before is None or not before.night_sha256 or not lines_stay(before, survey):
            return survey
        return replace(survey, night_sha256=before.night_sha256)

    async def _check_view(self, camera: str, body: bytes, eyes: Eyes | None) -> None:
        """Refuse an old drawing for a camera that was turned since. Where nothing can be compared (no picture of now,
        dark), the drawing is taken: the camera's health goes on comparing, and says so when it can."""
        now = await eyes.reference(camera) if eyes is not None and self._has_moved is not None else None
        if now is None or self._has_moved is None:
            return
        if await asyncio.to_thread(self._has_moved, body, now.body) is Truth.TRUE:
            raise MovedError(camera)

    async def _seal_left_over(self, camera: str) -> None:
        sealed = set(self._sealed(camera))
        for kept in self._store.versions(camera):
            if kept.sha256 not in sealed:
                await self._seal(kept, "drawn", 0)

    async def _seal(self, kept: KeptSurvey, event: str, copied_from: int) -> None:
        survey = kept.survey
        content: dict[str, Canonical] = {
            "event": event,
            "user": survey.made_by,
            "target": survey.camera,
            "detail": f"version {survey.version}"
            + (f", preset {survey.preset}" if survey.preset else "")
            + (f", as version {copied_from}" if copied_from else "")
            + (", with a reference by night" if survey.night_sha256 else ""),
            "version": survey.version,
            "copied_from": copied_from,
            "sha256": kept.sha256,
            "reference_sha256": survey.reference_sha256,
            "night_sha256": survey.night_sha256,
            "preset": survey.preset,
            "zones": len(survey.zones),
            "edges": len(survey.edges),
        }
        entry = Entry(RecordKind.CAMERA_SURVEY, self._clock.now_ns(), content, about=_filed(survey.camera))
        record = await self._recorder.record(entry)
        log.info("event=survey_sealed camera=%s version=%d seq=%d", survey.camera, survey.version, record.seq)

    def _sealed(self, camera: str) -> list[str]:
        """The digests that the chain holds, oldest first."""
        records = self._chain.evidence_of(_filed(camera))
        return [str(orjson.loads(record.body)["content"]["sha256"]) for record in records]


def plain(survey: Survey) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Zones and edges of a version as plain data, to be drawn on from."""
    document = survey.document()
    return list(document["zones"]), list(document["edges"])


def _filed(camera: str) -> str:
    return f"survey:{camera}"


def _named(digest: str, faults: Sequence[str]) -> bool:
    return any(digest in fault for fault in faults)
