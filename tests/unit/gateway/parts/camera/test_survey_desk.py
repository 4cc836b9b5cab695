"""The desk of drawings: checked, kept, sealed and used; and what a kill or a second person does to that."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gateway.evidence.evidence import RecordKind
from gateway.model.floor_rise import Move, raised
from gateway.model.night_picture import NightPictureError, NightProblem
from gateway.model.picture import CameraLink, Picture
from gateway.model.survey import Survey, SurveyError
from gateway.parts.camera.survey_desk import (
    FLOOR_MOVED,
    MOST_PRESETS,
    Drawn,
    MovedError,
    NightGiven,
    NoEdgesError,
    NoReferenceError,
    OvertakenError,
    SurveyDesk,
    plain,
)
from gateway.parts.camera.survey_store import SurveyStore
from tests.fakes.eyes import STOREY, StillEyes, camera
from tests.fakes.office import Office
from tests.fakes.site import NOW_NS
from vision.edges.floor_shift import floor_rises
from vision.edges.survey_night import night_look
from vision.health.view_comparison import has_moved
from vision.survey.parsing import read_survey

ZONE: dict[str, Any] = {
    "zone_id": "zone-1",
    "title": "Gate",
    "use": "watched",
    "outline": [[0.1, 0.2], [0.4, 0.2], [0.4, 0.6]],
}


EDGE: dict[str, Any] = {
    "edge_id": "edge-1",
    "title": "East",
    "kind": "floor_edge",
    "line": [[0.05, 0.56], [0.95, 0.56]],
    "length_m": 12.0,
    "marks": [{"foot": [x, 0.56], "top": [x, 0.49], "height_m": 1.2} for x in (0.05, 0.95)],
}


class TurnedEyes(StillEyes):
    """Eyes whose camera can be turned, upside down."""

    upside_down = False

    async def reference(self, camera: str) -> Picture | None:
        seen = await super().reference(camera)
        if seen is None or not self.upside_down:
            return seen
        image = cv2.imdecode(np.frombuffer(seen.body, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        return replace(seen, body=cv2.imencode(".jpg", image[::-1, ::-1])[1].tobytes())


class Drawings:
    """A desk over a real chain. `restart` opens the folder again, as the next start of the box does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.office = Office(folder)
        self.eyes = TurnedEyes([camera("cam-1", NOW_NS)], self.office.clock.now_ns)
        self.restart()

    def restart(self) -> None:
        self.store = SurveyStore(self.folder, read_survey)
        parts = self.office.alerts, self.office.recorder, self.office.clock
        self.desk = SurveyDesk(self.store, read_survey, *parts, night_look, has_moved)

    async def drawn(self, based_on: int = 0, **changed: Any) -> Drawn:
        picture = await self.eyes.reference("cam-1")
        assert picture is not None
        digest = await self.desk.hold(picture)
        return replace(Drawn("cam-1", [ZONE], [], digest, "an", based_on), **changed)

    async def by_night(self) -> str:
        """A picture of now, by lamps, that a page is looked at with."""
        self.eyes.by_night = True
        picture = await self.eyes.reference("cam-1")
        self.eyes.by_night = False
        assert picture is not None
        return await self.desk.hold(picture)

    async def with_night(self) -> Survey:
        """Version 1 with an edge, version 2 with a reference by night."""
        await self.desk.save(await self.drawn(edges=[EDGE]), self.eyes)
        return await self.desk.keep_night(NightGiven("cam-1", await self.by_night(), "zhu", 1), self.eyes)

    def sealed(self) -> list[dict[str, Any]]:
        records = self.office.alerts.evidence_of("survey:cam-1")
        assert {record.kind for record in records} <= {RecordKind.CAMERA_SURVEY}
        return [json.loads(record.body)["content"] for record in records]


@pytest.fixture
async def drawings(tmp_path: Path) -> AsyncIterator[Drawings]:
    drawings = Drawings(tmp_path)
    yield drawings
    await drawings.office.close()


async def test_a_drawing_is_kept_sealed_and_used_at_once(drawings: Drawings) -> None:
    survey = await drawings.desk.save(await drawings.drawn(), drawings.eyes)
    kept = drawings.desk.newest("cam-1")
    assert kept is not None
    (record,) = drawings.sealed()
    assert (record["sha256"], record["user"], record["event"]) == (kept.sha256, "an", "drawn")
    assert drawings.eyes.survey("cam-1") == survey == kept.survey
    assert len(drawings.eyes.references["cam-1"]) > 1000
    assert drawings.desk.faults("cam-1") == ()


async def test_a_faulty_drawing_keeps_nothing_and_seals_nothing(drawings: Drawings) -> None:
    outside = ZONE | {"outline": [[0.1, 0.2], [0.4, 0.2], [4.0, 0.6]]}
    with pytest.raises(SurveyError, match=r"zones\[0\].outline\[2\]"):
        await drawings.desk.save(await drawings.drawn(zones=[outside]), drawings.eyes)
    assert (drawings.sealed(), drawings.desk.versions("cam-1"), drawings.eyes.drawn) == ([], (), {})


async def test_the_second_of_two_people_is_told_of_the_first(drawings: Drawings) -> None:
    first, second = await drawings.drawn(), await drawings.drawn(user="zhu")
    await drawings.desk.save(first, drawings.eyes)
    with pytest.raises(OvertakenError, match="version 1 by an"):
        await drawings.desk.save(second, drawings.eyes)
    assert len(drawings.sealed()) == 1


async def test_going_back_is_a_new_version_with_the_old_content(drawings: Drawings) -> None:
    first = await drawings.desk.save(await drawings.drawn(), drawings.eyes)
    await drawings.desk.save(await drawings.drawn(1, zones=[]), drawings.eyes)
    zones, edges = plain(first)
    again = Drawn("cam-1", zones, edges, first.reference_sha256, "an", 2, copied_from=1)
    third = await drawings.desk.save(again, drawings.eyes)
    assert (third.version, third.zones, third.reference_sha256) == (3, first.zones, first.reference_sha256)
    assert [record["event"] for record in drawings.sealed()] == ["drawn", "drawn", "copied"]


async def test_an_old_version_is_not_taken_up_for_a_camera_that_was_turned_since(drawings: Drawings) -> None:
    first = await drawings.desk.save(await drawings.drawn(), drawings.eyes)
    await drawings.desk.save(await drawings.drawn(1, zones=[]), drawings.eyes)
    zones, edges = plain(first)
    again = Drawn("cam-1", zones, edges, first.reference_sha256, "an", 2, copied_from=1)
    drawings.eyes.upside_down = True
    with pytest.raises(MovedError, match="cam-1"):
        await drawings.desk.save(again, drawings.eyes)
    assert len(drawings.desk.versions("cam-1")) == len(drawings.sealed()) == 2
    assert drawings.eyes.survey("cam-1").version == 2
    fresh = await drawings.desk.save(await drawings.drawn(2), drawings.eyes)
    assert fresh.version == 3, "a drawing on a picture of now needs no comparison"


async def test_an_old_version_is_taken_up_where_no_picture_of_now_can_be_had(drawings: Drawings) -> None:
    first = await drawings.desk.save(await drawings.drawn(), drawings.eyes)
    zones, edges = plain(first)
    again = Drawn("cam-1", zones, edges, first.reference_sha256, "an", 1, copied_from=1)
    drawings.eyes.states["cam-1"] = replace(drawings.eyes.states["cam-1"], link=CameraLink.OFFLINE)
    assert (await drawings.desk.save(again, drawings.eyes)).version == 2


async def test_a_kill_before_the_seal_is_made_good_at_the_next_start(drawings: Drawings) -> None:
    drawn = await drawings.drawn()
    body = await drawings.desk.reference("cam-1", drawn.reference_sha256)
    drawings.store.keep(drawings.desk.check(drawn), body)  # and then the box was killed
    drawings.restart()
    assert drawings.sealed() == []
    await drawings.desk.resume(drawings.eyes)
    await drawings.desk.resume(drawings.eyes)
    assert [record["version"] for record in drawings.sealed()] == [1]
    assert drawings.eyes.survey("cam-1").version == 1


async def test_a_sealed_version_that_is_gone_is_said(drawings: Drawings) -> None:
    await drawings.desk.save(await drawings.drawn(), drawings.eyes)
    for path in (drawings.folder / "surveys" / "cam-1").glob("v*.json"):
        path.unlink()
    drawings.restart()
    (fault,) = drawings.desk.faults("cam-1")
    assert "was sealed and is not there" in fault
    assert drawings.desk.newest("cam-1") is None


async def test_a_picture_that_nobody_holds_is_asked_for_anew(drawings: Drawings) -> None:
    with pytest.raises(NoReferenceError):
        await drawings.desk.save(await drawings.drawn(reference_sha256="ab" * 32), drawings.eyes)
    assert drawings.sealed() == []


async def test_a_confirmed_picture_by_night_is_a_version_sealed_and_judged_by(drawings: Drawings) -> None:
    survey = await drawings.with_night()
    first = drawings.desk.versions("cam-1")[0].survey
    assert (survey.version, survey.made_by, first.night_sha256) == (2, "zhu", "")
    assert replace(survey, version=1, made_by="an", made_at_ns=first.made_at_ns, night_sha256="") == first
    record = drawings.sealed()[1]
    assert (record["event"], record["user"], record["night_sha256"]) == ("night_confirmed", "zhu", survey.night_sha256)
    assert record["detail"] == "version 2, with a reference by night"
    assert drawings.eyes.nights["cam-1"] == await drawings.desk.reference("cam-1", survey.night_sha256)


async def test_after_a_restart_the_camera_is_judged_by_both_pictures(drawings: Drawings) -> None:
    survey = await drawings.with_night()
    body = drawings.eyes.nights.pop("cam-1")
    drawings.restart()
    await drawings.desk.resume(drawings.eyes)
    assert (drawings.eyes.survey("cam-1"), drawings.eyes.nights["cam-1"]) == (survey, body)
    assert drawings.desk.faults("cam-1") == ()


async def test_a_picture_that_cannot_be_laid_over_keeps_and_seals_nothing(drawings: Drawings) -> None:
    await drawings.desk.save(await drawings.drawn(edges=[EDGE]), drawings.eyes)
    drawings.eyes.upside_down = True
    with pytest.raises(NightPictureError, match=r"picture by night: .*; expected") as caught:
        await drawings.desk.keep_night(NightGiven("cam-1", await drawings.by_night(), "zhu", 1), drawings.eyes)
    assert {fault.problem for fault in caught.value.faults} <= {NightProblem.NOT_MATCHED, NightProblem.MOVED}
    assert len(drawings.sealed()) == len(drawings.desk.versions("cam-1")) == 1
    assert drawings.eyes.nights == {"cam-1": b""}


async def test_a_picture_by_night_needs_edges_the_newest_version_and_to_be_there(drawings: Drawings) -> None:
    with pytest.raises(NoEdgesError):
        await drawings.desk.keep_night(NightGiven("cam-1", "ab" * 32, "zhu", 0), drawings.eyes)
    await drawings.desk.save(await drawings.drawn(), drawings.eyes)
    with pytest.raises(NoEdgesError):
        await drawings.desk.keep_night(NightGiven("cam-1", await drawings.by_night(), "zhu", 1), drawings.eyes)
    await drawings.desk.save(await drawings.drawn(1, edges=[EDGE]), drawings.eyes)
    with pytest.raises(OvertakenError, match="version 2 by an"):
        await drawings.desk.keep_night(NightGiven("cam-1", await drawings.by_night(), "zhu", 1), drawings.eyes)
    with pytest.raises(NoReferenceError):
        await drawings.desk.keep_night(NightGiven("cam-1", "ab" * 32, "zhu", 2), drawings.eyes)
    assert [record["event"] for record in drawings.sealed()] == ["drawn", "drawn"]


async def test_it_stays_while_the_lines_stay_and_goes_with_them(drawings: Drawings) -> None:
    """A name, a zone and a length may change; a line that was moved was not in the picture that was looked at."""
    survey = await drawings.with_night()
    kept = {"reference_sha256": survey.reference_sha256, "user": "an"}
    renamed = EDGE | {"title": "East, level 3", "length_m": 12.4}
    third = await drawings.desk.save(await drawings.drawn(2, edges=[renamed], zones=[], **kept), drawings.eyes)
    assert third.night_sha256 == survey.night_sha256
    assert len(drawings.eyes.nights["cam-1"]) > 1000
    moved = EDGE | {"line": [[0.05, 0.56], [0.9, 0.56]]}
    fourth = await drawings.desk.save(await drawings.drawn(3, edges=[moved], **kept), drawings.eyes)
    assert (fourth.night_sha256, drawings.eyes.nights["cam-1"]) == ("", b"")
    zones, edges = plain(third)
    again = Drawn("cam-1", zones, edges, third.reference_sha256, "an", 4, copied_from=3)
    fifth = await drawings.desk.save(again, drawings.eyes)
    assert fifth.night_sha256 == survey.night_sha256, "an old version is taken up whole"


async def test_it_goes_when_the_edges_are_drawn_on_another_picture(drawings: Drawings) -> None:
    survey = await drawings.with_night()
    await drawings.office.clock.advance(3.0)
    fresh = await drawings.drawn(2, edges=[EDGE])
    assert fresh.reference_sha256 != survey.reference_sha256
    assert (await drawings.desk.save(fresh, drawings.eyes)).night_sha256 == ""


async def test_it_is_left_out_by_a_version_of_its_own(drawings: Drawings) -> None:
    survey = await drawings.with_night()
    third = await drawings.desk.keep_night(NightGiven("cam-1", "", "an", 2), drawings.eyes)
    assert replace(third, version=2, made_by="zhu", made_at_ns=survey.made_at_ns) == replace(survey, night_sha256="")
    assert drawings.sealed()[2]["event"] == "night_left_out"
    assert drawings.eyes.nights["cam-1"] == b""


async def test_each_preset_has_versions_of_its_own_and_one_that_is_given_up_counts_no_more(drawings: Drawings) -> None:
    gate = await drawings.desk.save(await drawings.drawn(preset="gate"), drawings.eyes)
    yard = await drawings.desk.save(await drawings.drawn(preset="yard", edges=[EDGE]), drawings.eyes)
    assert (gate.version, yard.version) == (1, 2)
    with pytest.raises(OvertakenError, match="version 1 by an"):
        await drawings.desk.save(await drawings.drawn(2, preset="gate"), drawings.eyes)
    third = await drawings.desk.save(await drawings.drawn(1, preset="gate", zones=[]), drawings.eyes)
    assert {survey.preset: survey.version for survey in drawings.eyes.surveys("cam-1")} == {"gate": 3, "yard": 2}
    assert drawings.desk.newest("cam-1") is None
    gone = await drawings.desk.give_up(await drawings.drawn(2, preset="yard", edges=[EDGE]), drawings.eyes)
    assert (gone.version, gone.given_up, gone.edges) == (4, True, ())
    assert list(drawings.eyes.surveys("cam-1")) == [third]
    assert [record["event"] for record in drawings.sealed()] == ["drawn", "drawn", "drawn", "given_up"]
    assert drawings.sealed()[3]["preset"] == "yard"
    drawings.restart()
    drawings.eyes.drawn.clear()
    await drawings.desk.resume(drawings.eyes)
    assert list(drawings.eyes.surveys("cam-1")) == [third]
    assert drawings.desk.faults("cam-1") == ()


async def test_no_more_presets_are_taken_than_the_eye_looks_for(drawings: Drawings) -> None:
    for number in range(MOST_PRESETS):
        await drawings.desk.save(await drawings.drawn(preset=f"view {number}"), drawings.eyes)
    with pytest.raises(SurveyError, match="8 presets are drawn"):
        await drawings.desk.save(await drawings.drawn(preset="one more"), drawings.eyes)


async def test_a_drawing_without_a_picture_gives_nothing_up(drawings: Drawings) -> None:
    await drawings.desk.save(await drawings.drawn(), drawings.eyes)
    with pytest.raises(NoReferenceError):
        await drawings.desk.save(await drawings.drawn(1, reference_sha256=""), drawings.eyes)
    assert drawings.eyes.survey("cam-1").version == 1


async def test_lines_at_a_new_height_are_sealed_as_such_and_leave_the_reference_by_night(drawings: Drawings) -> None:
    survey = await drawings.with_night()
    drawings.eyes.floor_up = True
    drawings.desk.propose_rises = floor_rises
    drawn = await drawings.drawn(2, edges=[], event=FLOOR_MOVED)
    (rise,) = await drawings.desk.floor_rises("cam-1", drawn.reference_sha256)
    assert (rise.edge_id, rise.found, round(rise.rise_m)) == ("edge-1", True, 3)
    higher = replace(survey, edges=(raised(survey.edges[0], Move(rise.rise_m)),))
    third = await drawings.desk.save(replace(drawn, edges=plain(higher)[1]), drawings.eyes)
    assert (third.night_sha256, drawings.sealed()[2]["event"]) == ("", "floor_moved")
    assert third.edges[0].line[0][1] == pytest.approx(0.56 - STOREY, abs=0.015)
    drawings.desk.propose_rises = None
    assert await drawings.desk.floor_rises("cam-1", third.reference_sha256) == ()
