"""The review desk's addresses on a real socket: pages in two languages, the script's JSON, forms without script."""

import json
from collections.abc import Iterator

import pytest

from contract.messages import EvidenceRecord
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.heard import Heard
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.review_world import BOX, ReviewWorld

CITY, OTHER = Scope(Level.CITY, "4401"), Scope(Level.CITY, "4403")
JSON = {"accept": "application/json"}
HOSTILE = """<script>alert(1)</script>'; DROP TABLE review_items; --"""


@pytest.fixture(scope="module")
def face(shared_desk_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    with DeskFace(tmp_path_factory.mktemp("review"), DeskClock(), url=shared_desk_url) as face:
        yield face


@pytest.fixture(scope="module")
def world(face: DeskFace) -> ReviewWorld:
    clock = face.clock
    assert isinstance(clock, DeskClock)
    return ReviewWorld(face.database, face.desk.ledger, clock)


PATHS = ["/review", "/review/shelf", "/review/judged", "/review/checks", "/review/figures?days=7", "/samples"]


@pytest.mark.parametrize("path", PATHS)
def test_pages_are_for_supervision_bodies_in_two_languages(face: DeskFace, world: ReviewWorld, path: str) -> None:
    client = face.client(Duty.REVIEWER, CITY)
    chinese = client.get(path)
    assert (chinese.status_code, "研判" in chinese.text) == (200, True)
    english = client.get(path, params={"lang": "en"} | ({"days": "7"} if "days" in path else {}))
    assert 'lang="en"' in english.text
    for duty, scope in ((Duty.ADMINISTRATOR, CITY), (Duty.REVIEWER, Scope(Level.PROJECT, "p1"))):
        assert face.client(duty, scope).get(path).status_code == 403


def test_no_text_is_left_untranslated(face: DeskFace, world: ReviewWorld) -> None:
    item = world.queue_alarm("words", title_zh="词", title_en="words")
    catalogue = face.app.state.pages.catalogue
    client = face.client(Duty.REVIEWER, CITY)
    catalogue.missing.clear()
    for path in [*PATHS, f"/review/items/{item}"]:
        client.get(path)
    client.get(face.app.state.pages.files.url("texts/zh-CN.js"))
    assert catalogue.missing == set()


def test_an_item_goes_its_way_by_forms_alone(face: DeskFace, world: ReviewWorld) -> None:
    item = world.queue_alarm("forms", title_zh=HOSTILE, subject="cam-f.bare_head_1")
    world.leave_undrawn(item)
    client = face.client(Duty.REVIEWER, CITY)
    page = client.get("/review")
    assert f"/review/items/{item}" in page.text
    assert HOSTILE not in page.text
    assert "&lt;script&gt;" in page.text
    went = client.submit(f"/review/items/{item}", f"/review/items/{item}/verdict", verdict="false", reason="5")
    assert (went.status_code, went.headers["location"]) == (303, "/review")
    world.settle()
    assert "人已戴帽" in client.get("/review/judged").text
    client.submit("/review/judged", f"/review/items/{item}/reopen", words=HOSTILE)
    assert world.item(item).state == "open"
    assert "&lt;script&gt;" in client.get(f"/review/items/{item}").text
    client.submit(f"/review/items/{item}", f"/review/items/{item}/verdict", verdict="doubtful")
    world.settle()
    inspector = face.client(Duty.INSPECTOR, CITY)
    done = inspector.submit("/review/checks", f"/review/checks/{item}", outcome="not_found", words="已整改")
    assert done.status_code == 303
    assert "现场未发现" in inspector.get("/review/checks").text


def test_the_script_gets_facts_pictures_and_a_curve(face: DeskFace, world: ReviewWorld) -> None:
    item = world.queue_alarm("facts", subject="cam-9.bare_head_1", severity="P1", measured="1.5", limit_value="1")
    world.thumbnail("facts")
    world.picture("facts", "cd" * 32, [[10, 20, 50, 60, 1, 950, 3]])
    record = {"kind": "media", "seq": 5, "content": {"alarm_id": "facts", "versions": {"model": "m2"}, "items": [
        {"class": "clip", "place": 0, "sha256": "ef" * 32, "media_type": "video/mp4", "boxes": "nonsense"}, {"x": 1}, 7,
    ]}}  # fmt: skip
    text = json.dumps(record, separators=(",", ":"))
    heard = Heard(BOX, "p1", EvidenceRecord(record=text, sha256="0" * 64), "r5")
    with face.database.transaction() as db:
        for listener in face.desk.listeners["evidence_record"]:
            listener(db, heard, 1)
    client = face.client(Duty.REVIEWER, CITY)
    found = client.get(f"/review/items/{item}/facts", headers=JSON).json()
    small, frame = found["pictures"]
    assert (small["class"], small["blurred"], small["boxes"]) == ("thumbnail", True, [[10, 20, 50, 60, 1, 950, 3]])
    assert (frame["url"], frame["blurred"]) == (f"/media/{'cd' * 32}", False)
    picture = client.get(small["url"])
    assert (picture.headers["content-type"], picture.content[:2]) == ("image/jpeg", b"\xff\xd8")
    curve = client.get(found["spans"][-1]["curve"])
    assert curve.headers["content-type"].startswith("image/svg+xml")
    assert "未知" in curve.text
    assert "限值 1" in curve.text
    elsewhere = face.client(Duty.REVIEWER, OTHER)
    for path in (f"/review/items/{item}/facts", small["url"], found["spans"][-1]["curve"]):
        assert elsewhere.get(path, headers=JSON).status_code == 404


def test_refusals_are_told_to_programs_and_change_nothing(face: DeskFace, world: ReviewWorld) -> None:
    item = world.queue_alarm("held", subject="cam-h.bare_head_1")
    first, second = face.client(Duty.REVIEWER, CITY), face.client(Duty.REVIEWER, Scope(Level.PROVINCE, "44"))

    def post(client, path: str, **fields: str):  # type: ignore[no-untyped-def]
        return client.post(path, data={"csrf": client.csrf("/review")} | fields, headers=JSON)

    assert post(first, f"/review/items/{item}/lease").json()["for_ms"] == 60_000
    told = post(second, f"/review/items/{item}/lease")
    assert (told.status_code, told.json()["error"]["code"]) == (409, "leased")
    assert face.person(Duty.REVIEWER, CITY).name in told.json()["error"]["message_zh"]
    rows = second.get("/review/queue", headers=JSON).json()["rows"]
    assert [row["held_by"] for row in rows if row["id"] == item] == [face.person(Duty.REVIEWER, CITY).name]
    forged = first.post(f"/review/items/{item}/verdict", data={"verdict": "true", "csrf": "x"}, headers=JSON)
    assert (forged.status_code, forged.json()["error"]["code"]) == (403, "forged_form")
    for fields, code in (({}, "field_missing"), ({"verdict": "yes"}, "no_such_verdict")):
        assert post(first, f"/review/items/{item}/verdict", **fields).json()["error"]["code"] == code
    inspector = face.client(Duty.INSPECTOR, CITY)
    assert post(inspector, f"/review/items/{item}/verdict", verdict="true").json()["error"]["code"] == "duty_needed"
    for path in ("/review/items/%00/facts", "/review/items/x/facts", "/review/queue?q=%00", "/review/queue?after=1.2"):
        assert first.get(path, headers=JSON).status_code in (404, 422)
    assert world.item(item).state == "open"


def test_labels_are_downloads_of_those_who_may(face: DeskFace, world: ReviewWorld) -> None:
    client = face.client(Duty.REVIEWER, CITY)
    answer = client.submit("/samples", "/samples/export", kind="coco")
    assert answer.headers["content-disposition"] == 'attachment; filename="labels-coco.json"'
    assert json.loads(answer.content)["categories"][0] == {"id": 0, "name": "helmet"}
    assert client.submit("/samples", "/samples/export", kind="yolo").content[:2] == b"PK"
    assert client.submit("/samples", "/samples/export", kind="exe").status_code == 422


def test_acknowledging_and_shelving_by_forms_alone(face: DeskFace, world: ReviewWorld) -> None:
    item = world.queue_alarm("shelf-1", severity="P2")
    client = face.client(Duty.REVIEWER, CITY)
    page = f"/review/items/{item}"
    assert client.submit(page, f"{page}/acknowledge").status_code == 303
    refused = client.submit(page, f"{page}/shelve", reason="在修", hours="9")
    assert (refused.status_code, "搁置时长" in refused.text) == (422, True)
    assert client.submit(page, f"{page}/shelve", reason=HOSTILE, hours="1").status_code == 303
    shelf = client.get("/review/shelf").text
    assert "&lt;script&gt;alert(1)" in shelf
    assert f"/review/items/{item}" not in client.get("/review").text
    assert face.client(Duty.REVIEWER, OTHER).get("/review/shelf").text.count(item) == 0
    assert face.client(Duty.INSPECTOR, CITY).submit(page, f"{page}/shelve", reason="在修", hours="1").status_code == 403
    assert client.submit("/review/shelf", f"{page}/fetch-back").headers["location"] == "/review/shelf"
    assert f"/review/items/{item}" in client.get("/review").text


def test_the_curve_is_drawn_on_the_axis_that_is_asked_for(face: DeskFace, world: ReviewWorld) -> None:
    item = world.queue_alarm("axis-1", severity="P2")
    client = face.client(Duty.REVIEWER, CITY)
    facts = client.get(f"/review/items/{item}/facts", headers=JSON).json()
    (wide,) = facts["spans"]
    assert (wide["name"], wide["to_ms"] - wide["from_ms"]) == ("wide", 2_400_000)
    for span in ("wide", "close"):
        answer = client.get(f"/review/items/{item}/curve.svg", params={"span": span})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert client.get(f"/review/items/{item}/curve.svg?span=year").status_code == 422
