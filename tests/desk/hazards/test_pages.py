"""The hazard pages over HTTP: what they show in both languages, what they refuse, what nobody else may see."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.hazards import hazard_evidence, hazards
from regulator.base.records.tables.registry import projects
from tests.fakes.desk_database import START_NS, DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.hazard_bench import photo, register

COUNTY, OTHER, SITE = Scope(Level.COUNTY, "330106"), Scope(Level.COUNTY, "440305"), Scope(Level.PROJECT, "p1")
PAGES = ["/hazards", "/hazards/new", "/supervision", "/accidents", "/hazards/stock"]
ENGLISH = {"accept-language": "en", "accept": "text/html"}


@pytest.fixture(scope="module")
def face(shared_desk_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    """One desk for all of these tests; each opens hazards of its own."""
    with DeskFace(tmp_path_factory.mktemp("desk"), DeskClock(), url=shared_desk_url) as running:
        register(running.database)
        yield running


def entered(face: DeskFace, number: int, **changes: str) -> str:
    """A hazard by hand, as the form sends it; its address."""
    fields = {
        "key": f"key-of-test-number-{number}",
        "project_code": "p1",
        "channel": "inspection",
        "kind": "hazard",
        "title_zh": "临边防护缺失",
        "title_en": "Edge rail missing",
        "place_id": "edge-3",
        "observed_at": "2026-03-01T07:00",
        "catalogue_code": "",
        "words": "加装护栏",
    }
    files = {"photo": ("a.jpg", photo(number), "image/jpeg")}
    client = face.client(Duty.INSPECTOR, COUNTY)
    answer = client.submit("/hazards/new", "/hazards/new/evidence", files=files, **(fields | changes))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_every_page_is_there_in_both_languages(face: DeskFace) -> None:
    entered(face, 1)
    client = face.client(Duty.REVIEWER, COUNTY)
    for page in PAGES[:1] + PAGES[2:]:
        assert client.get(page).status_code == 200, page
        client.cookies.set("language", "en")
        assert client.get(page).status_code == 200, page
    assert face.client(Duty.INSPECTOR, COUNTY).get("/hazards/new").status_code == 200
    assert face.client(Duty.VIEWER, COUNTY).get("/hazards/new").status_code == 403


def test_a_hazard_goes_through_the_pages(face: DeskFace) -> None:
    page = entered(face, 2)
    li, site = face.client(Duty.REVIEWER, COUNTY), face.client(Duty.RESPONDER, SITE)
    for action in ("confirm", "order"):
        assert li.submit(page, f"{page}/act", step=action, words="按期整改").status_code == 303
    files = {"photo": ("fixed.png", photo(77, "PNG"), "image/png")}
    assert site.submit(page, f"{page}/evidence", files=files, step="submit", words="已装").status_code == 303
    refused = li.submit(page, f"{page}/act", step="close", words="合格")
    assert refused.status_code == 422
    assert "新证据" in refused.text
    files = {"photo": ("check.jpg", photo(78), "image/jpeg")}
    assert li.submit(page, f"{page}/evidence", files=files, step="close", words="合格").status_code == 303
    text = li.get(page).text
    assert "销号" in text
    assert "校验值相符" in text
    assert "ZG-330106-2026-" in text
    assert "15 日" in text


def test_only_what_is_allowed_is_offered(face: DeskFace) -> None:
    page = entered(face, 3)
    assert 'value="confirm"' in face.client(Duty.REVIEWER, COUNTY).get(page).text
    assert 'value="confirm"' not in face.client(Duty.VIEWER, COUNTY).get(page).text
    assert face.client(Duty.REVIEWER, OTHER).get(page).status_code == 404
    stranger = face.client(Duty.REVIEWER, OTHER)
    assert stranger.submit("/me", f"{page}/act", step="confirm").status_code == 404
    viewer = face.client(Duty.VIEWER, COUNTY)
    assert viewer.submit("/me", f"{page}/act", step="confirm").status_code == 403


def test_evidence_is_shown_to_the_scope_and_the_look_is_written_down(face: DeskFace) -> None:
    page = entered(face, 4)
    hazard_id = page.removeprefix("/hazards/")
    with face.database.reading() as db:
        sha256 = db.scalar(select(hazard_evidence.c.sha256).where(hazard_evidence.c.hazard_id == hazard_id))
    client = face.client(Duty.REVIEWER, COUNTY)
    assert client.get(f"{page}/evidence/{sha256}").content == photo(4)
    assert face.client(Duty.REVIEWER, OTHER).get(f"{page}/evidence/{sha256}").status_code == 404
    assert client.get(f"{page}/evidence/{'0' * 64}").status_code == 404
    with face.database.reading() as db:
        kinds = [entry.fields["kind"] for entry in entries_about(db, hazard_id)]
    assert kinds.count("evidence_viewed") == 1


def test_changed_bytes_and_changed_rows_are_told(face: DeskFace) -> None:
    page = entered(face, 5)
    hazard_id = page.removeprefix("/hazards/")
    client = face.client(Duty.REVIEWER, COUNTY)
    assert 'role="alert"' not in client.get(page).text
    with face.database.transaction() as db:
        sha256 = str(db.scalar(select(hazard_evidence.c.sha256).where(hazard_evidence.c.hazard_id == hazard_id)))
        mine = hazards.c.hazard_id == hazard_id
        db.execute(update(hazards).where(mine).values(observed_at_ns=START_NS - 30 * 86_400 * 10**9))
    (path,) = [path for path in Path(face.settings.blobs).rglob("*") if path.name == sha256]
    path.chmod(0o600)
    path.write_bytes(photo(6))
    text = client.get(page).text
    assert "observed_at_ns" in text
    assert "内容被改动" in text
    assert client.get(f"{page}/evidence/{sha256}").status_code == 500


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"GIF89a", 422), (b"", 422), (photo(1)[:200], 422), (b"\xff" * (50 * 2**20), 413)],
    ids=["gif", "empty", "cut off", "50 MB"],
)
def test_what_is_no_photo_is_refused(face: DeskFace, content: bytes, status: int) -> None:
    page = entered(face, 7)
    client = face.client(Duty.REVIEWER, COUNTY)
    files = {"photo": ("x.jpg", content, "image/jpeg")}
    answer = client.submit(page, f"{page}/evidence", files=files, step="add_evidence", words="x")
    assert answer.status_code == status, answer.text[-500:]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"observed_at": "2026-03-02T09:00"}, "晚于登记"),
        ({"observed_at": "gestern"}, "时间格式"),
        ({"observed_at": "2026-01-01T09:00"}, "须说明原因"),
        ({"channel": "device"}, "不能手工登记"),
        ({"kind": "'; DROP TABLE hazards; --"}, "无此选项"),
        ({"catalogue_code": "MH99-1"}, "没有这一条"),
        ({"project_code": "p9"}, "没有这个项目"),
        ({"title_zh": " "}, "缺少隐患名称"),
        ({"title_zh": "长" * 201}, "超过 200"),
        ({"key": "x"}, "表单编号无效"),
    ],
)
def test_bad_entries_say_what_is_wrong(face: DeskFace, changes: dict[str, str], code: str) -> None:
    client = face.client(Duty.INSPECTOR, COUNTY)
    fields = {"key": "key-of-a-bad-entry-1", "project_code": "p1", "channel": "inspection", "kind": "hazard"}
    fields |= {"title_zh": "某隐患", "place_id": "x", "observed_at": "2026-03-01T07:00", "words": "w"}
    answer = client.submit("/hazards/new", "/hazards/new/evidence", **(fields | changes))
    assert answer.status_code in {404, 422}
    assert code in answer.text


def test_html_in_every_text_is_shown_as_text(face: DeskFace) -> None:
    nasty = "<script>alert(1)</script>"
    page = entered(face, 8, title_zh=nasty, title_en=nasty, place_id=nasty, words=nasty)
    client = face.client(Duty.REVIEWER, COUNTY)
    for address in (page, "/hazards", "/supervision"):
        text = client.get(address).text
        assert nasty not in text
        assert "&lt;script&gt;" in text


def test_the_same_form_twice_opens_one(face: DeskFace) -> None:
    assert entered(face, 9) == entered(face, 9)


def test_a_list_is_filtered_and_refuses_unknown_words(face: DeskFace) -> None:
    with face.database.transaction() as db:
        row = {"project_code": "p8", "name": "项目 p8", "province_code": "33", "city_code": "3301"}
        db.execute(insert(projects).values(**row, county_code="330106"))
    page = entered(face, 10, project_code="p8", catalogue_code="MH24-8-4", observed_at="2026-02-28T07:00")
    client = face.client(Duty.REVIEWER, COUNTY)
    hazard_id = page.removeprefix("/hazards/")
    assert hazard_id in client.get("/hazards?project=p8&state=pending&grade=general").text
    assert hazard_id not in client.get("/hazards?project=p8&state=closed").text
    assert client.get("/hazards?state=elsewhere").status_code == 422
    assert "《判定标准（2022版）》第八条第五项" in client.get(page).text
