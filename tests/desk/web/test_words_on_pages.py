"""No page and no table of the desk shows a code of ours: hazards, review, calendar, statistics, papers."""

from collections.abc import Iterator

import pytest

from regulator.base.model.actor import Duty, Level, Scope
from tests.browser.test_desk_hazards import A, HazardFace
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.hazard_bench import COUNTY
from tests.fakes.review_world import ReviewWorld
from tests.fakes.visible_words import codes_in, read_all

CITY = Scope(Level.CITY, "4401")
CLAUSE = "product default: 105 % held for 2 s; the limiter should have cut by then: suspected MH24-8-4"
MOST = 150


@pytest.fixture(scope="module")
def hazards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HazardFace]:
    with DeskFace(tmp_path_factory.mktemp("words"), DeskClock()) as face:
        yield HazardFace(face)


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskFace]:
    with DeskFace(tmp_path_factory.mktemp("words"), DeskClock()) as face:
        assert isinstance(face.clock, DeskClock)
        world = ReviewWorld(face.database, face.desk.ledger, face.clock)
        world.queue_alarm("a1", clause=CLAUSE, certainty="PD", hazard_code="MH24-8-4", hazard_edition="2024")
        yield face


def found_codes(face: DeskFace, duty: Duty, scope: Scope, begin: list[str], language: str) -> dict[str, str]:
    """What was read, after it was held against the codes."""
    client = face.client(duty, scope)
    client.cookies.set("language", language)
    read = dict(read_all(client.get, begin, MOST))
    assert [(address, found) for address, text in read.items() if (found := codes_in(text))] == []
    return read


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_page_of_hazards_shows_a_code(hazards: HazardFace, language: str) -> None:
    major = hazards.open(A.CONFIRM, A.ORDER, catalogue_code="MH24-8-4", catalogue_edition="2024")
    begin = ["/", f"/hazards/{major}", "/calendar", "/calendar.ics", "/statistics?period=7d&format=csv", "/docking"]
    read = found_codes(hazards.face, Duty.REVIEWER, COUNTY, begin, language)
    item = "《判定标准（2024版）》第八条第四项" if language == "zh-CN" else "item 8(4) of the 2024 criteria"
    assert item in read[f"/hazards/{major}"]
    assert any("判定标准（2024版）" in text for address, text in read.items() if address.startswith("/documents/"))
    assert len(read) > 30
    found_codes(hazards.face, Duty.INSPECTOR, COUNTY, ["/hazards/new"], language)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_item_under_review_shows_a_code(review: DeskFace, language: str) -> None:
    client = review.client(Duty.REVIEWER, CITY)
    (row,) = client.get("/review/queue", headers={"accept": "application/json"}).json()["rows"]
    read = found_codes(review, Duty.REVIEWER, CITY, ["/review", f"/review/items/{row['id']}"], language)
    words = "产品设定，非标准条文" if language == "zh-CN" else "product setting, no standard"
    assert words in read[f"/review/items/{row['id']}"]
