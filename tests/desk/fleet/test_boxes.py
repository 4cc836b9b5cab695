"""The list of boxes: what is unknown stays unknown, the worst stands first, nobody sees another scope's."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from contract.canonical import canonical_bytes
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.tables.fleet import box_states, pack_offers
from regulator.base.records.tables.intake import boxes, chain_records
from regulator.base.records.tables.registry import projects
from regulator.parts.fleet.boxes import Filters, FleetBox, Standing, Yardstick, fleet_of
from regulator.parts.fleet.versions import is_older
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import PROVINCE, DeskFace

CITY = Scope(Level.CITY, "4401")
HTML = "<b onmouseover=alert(1)>一号</b>"


@pytest.fixture
def face(tmp_path: Path, desk_url: str, clock: DeskClock) -> Iterator[DeskFace]:
    with DeskFace(tmp_path, clock, url=desk_url) as face:
        plant(face)
        yield face


def state(**changes: Any) -> str:
    said: dict[str, Any] = {"software": "0.1.0", "started_at_ns": 1, "settings_sha256": "a" * 64, "clock": "kept"}
    said |= {"rule_packs": [{"name": "national", "sha256": "b" * 64, "origin": "shipped"}]}
    said |= {"models": [{"name": "heads 3", "sha256": "c" * 12, "cameras": 2}]}
    return canonical_bytes(said | changes).decode()


def plant(face: DeskFace) -> None:
    """`silent` was heard a day ago; `old` has an old version; `mute` never said what it is; `good` is well; `far` is
    another city's."""
    now = face.clock()
    day = 86_400_000_000_000
    with face.database.transaction() as db:
        for code, city in (("p-1", "4401"), ("p-2", "4403")):
            db.execute(insert(projects).values(project_code=code, name=HTML, city_code=city))
        for name, project, seen in (
            ("good", "p-1", now), ("mute", "p-1", now), ("old", "p-1", now), ("silent", "p-1", now - day),
            ("far", "p-2", now),
        ):  # fmt: skip
            row = {"box_id": name, "project_code": project, "last_seen_ns": seen, "verified_sha256": "0" * 64}
            db.execute(insert(boxes).values(**row))
        for name, said in (("good", state()), ("old", state(software="0.0.9")), ("silent", state()), ("far", state())):
            db.execute(insert(box_states).values(box_id=name, body=said, sha256="d" * 64, heard_at_ns=now))


def fleet(face: DeskFace, scope: Scope = PROVINCE, **filters: str) -> list[FleetBox]:
    yardstick = Yardstick(face.clock(), 1800, "0.1.0")
    with face.database.reading() as db:
        return list(fleet_of(db, face.actor(Duty.VIEWER, scope), yardstick, Filters(**filters)).rows)


def test_the_worst_stand_first_and_another_citys_box_is_not_there(face: DeskFace) -> None:
    face.person(Duty.VIEWER, CITY)
    assert [(box.box_id, box.standing) for box in fleet(face, CITY)] == [
        ("silent", Standing.SILENT),
        ("old", Standing.OUTDATED),
        ("mute", Standing.UNKNOWN),
        ("good", Standing.CURRENT),
    ]
    face.person(Duty.VIEWER)
    assert {box.box_id for box in fleet(face)} == {"silent", "old", "mute", "good", "far"}


def test_what_a_box_has_not_said_is_unknown_and_never_zero(face: DeskFace) -> None:
    face.person(Duty.VIEWER)
    (mute,) = fleet(face, words="mute")
    known = (mute.state, mute.waiting, mute.disk_days_left, mute.clock_offset_ns, mute.older_software)
    assert known == (None, None, None, None, None)
    page = face.client(Duty.VIEWER).get("/fleet?words=mute").text
    row = page[page.index('id="box-mute"') :]
    assert row[: row.index("</tr>")].count("未知") == 7


def test_figures_are_those_of_the_last_heartbeat(face: DeskFace) -> None:
    face.person(Duty.VIEWER)
    now = face.clock()
    with face.database.transaction() as db:
        said = {"counters": '{"waiting":12,"disk_days_left":3}', "clock_offset_ns": -2_500_000_000, "head_seq": 9}
        said |= {"clock_heard_at_ns": now, "verified_seq": 7, "verified_sha256": "e" * 64}
        db.execute(update(boxes).where(boxes.c.box_id == "good").values(**said))
        record = {"box_id": "good", "seq": 7, "sha256": "e" * 64, "prev": "", "record": "{}", "accepted_at_ns": now - 5}
        db.execute(insert(chain_records).values(**record))
    (good,) = fleet(face, words="good")
    assert (good.waiting, good.disk_days_left, good.clock_off, good.records_missing) == (12, 3, True, 2)
    assert good.record_at_ns == now - 5


@pytest.mark.parametrize(
    ("offer", "standing"),
    [
        ({"sha256": "f" * 64}, Standing.OUTDATED),
        ({"sha256": "e" * 64}, Standing.CURRENT),
        ({"sha256": "e" * 64, "withdrawn": 1}, Standing.OUTDATED),
    ],
)
def test_an_offer_that_is_not_in_force_makes_a_box_outdated(face: DeskFace, offer: dict, standing: Standing) -> None:
    face.person(Duty.VIEWER)
    pack = {"name": "county", "sha256": "e" * 64, "origin": "regulator"}
    row = {"name": "county", "box_id": "good", "project_code": "p-1", "offered_by": "u", "message_id": "m"}
    with face.database.transaction() as db:
        db.execute(update(box_states).where(box_states.c.box_id == "good").values(body=state(rule_packs=[pack])))
        old = {"offer_id": "k-0", "sha256": "1" * 64, "offered_at_ns": 1}
        db.execute(insert(pack_offers).values(**row | old))
        db.execute(insert(pack_offers).values(**row | {"offer_id": "k-1", "offered_at_ns": 2} | offer))
    (good,) = fleet(face, words="good")
    assert (good.standing, good.packs_behind) == (standing, ("county",) if standing is Standing.OUTDATED else ())


def test_the_export_holds_what_the_same_filters_show(face: DeskFace) -> None:
    client = face.client(Duty.VIEWER)
    answer = client.get("/fleet?show=silent&format=csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["监控主机编号", "silent"]
    assert client.get("/fleet?format=xlsx").content[:2] == b"PK"
    assert client.get("/fleet?format=pdf").status_code == 422
    assert client.get("/fleet?show=fine").status_code == 422


def test_a_filter_by_version_and_by_pack(face: DeskFace) -> None:
    face.person(Duty.VIEWER)
    assert [box.box_id for box in fleet(face, software="0.0.9")] == ["old"]
    assert [box.box_id for box in fleet(face, software="-")] == ["mute"]
    assert len(fleet(face, pack="national")) == len(fleet(face, pack="bbbb")) == 4
    assert fleet(face, pack="nationa") == fleet(face, pack="cccc") == []


def test_the_page_shows_names_as_text_and_needs_a_login(face: DeskFace) -> None:
    assert HTML not in face.client(Duty.VIEWER).get("/fleet").text
    assert face.client().get("/fleet").status_code == 303


@pytest.mark.parametrize(
    ("version", "than", "older"),
    [
        ("0.1.0", "0.1.0", False), ("0.9.0", "0.10.0", True), ("1.0", "1.0.0", False), ("2", "10", True),
        ("1.0.0rc1", "1.0.0", None), ("0.9.0rc1", "1.0.0", True), ("sitewarden", "1.0", None), ("", "1.0", None),
    ],
)  # fmt: skip
def test_versions_are_compared_by_their_numbers(version: str, than: str, older: bool | None) -> None:
    assert is_older(version, than) is older
