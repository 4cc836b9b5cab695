"""Person-seconds by hour and why, what is not watched, the share of a day, and the same after a restart."""

import logging
import math
from pathlib import Path

import pytest

from gateway.model.sight import SightHour, Why, added
from vision.helmets.people import People, SeenPerson
from vision.sight.edge_states import EdgeStates
from vision.sight.keeping import SightBooks
from vision.sight.ledger import HOUR_NS, SightBook
from vision.sight.reach import KEPT_H

SECOND_NS = 1_000_000_000
START_NS = 500_000 * HOUR_NS
NEAR, FAR = SeenPerson(Why.JUDGED, 0.8, 0.08), SeenPerson(Why.TOO_SMALL, 0.4, 0.01)
BEHIND = SeenPerson(Why.UNWATCHED, 0.5, 0.05)


class Camera:
    """A book with a clock: five frames a second."""

    def __init__(self, kept: bytes = b"") -> None:
        self.book = SightBook(kept)
        self.now_ns = START_NS

    def show(self, people: People | None, for_s: float) -> None:
        for _ in range(round(for_s * 5)):
            self.now_ns += SECOND_NS // 5
            self.book.take(people, 2.5, self.now_ns, self.now_ns)

    @property
    def day(self) -> SightHour:
        return self.book.day(self.now_ns)


def seen(*people: SeenPerson) -> People:
    return People(20 / 720, people)


def test_person_seconds_are_counted_with_what_became_of_each() -> None:
    camera = Camera()
    camera.show(seen(), 0.2)
    camera.show(seen(NEAR, FAR, BEHIND), 100)
    camera.show(seen(FAR), 50)
    camera.show(None, 30)
    camera.show(seen(), 20)
    day = camera.day
    assert {why: round(day.person_s[why]) for why in (Why.JUDGED, Why.TOO_SMALL, Why.UNWATCHED, Why.CUT)} == {
        Why.JUDGED: 100, Why.TOO_SMALL: 150, Why.UNWATCHED: 100, Why.CUT: 0,
    }  # fmt: skip
    assert [round(each) for each in (day.judged_s, day.unjudged_s, day.blind_s)] == [120, 50, 30]
    assert day.part(Why.TOO_SMALL) == pytest.approx(0.6)


def test_too_few_people_give_no_share_and_never_a_full_one() -> None:
    camera = Camera()
    camera.show(seen(NEAR), 590)
    assert math.isnan(camera.day.share)
    camera.show(seen(NEAR), 20)
    assert camera.day.share == 1.0
    assert math.isnan(added((), 0).share)


def test_people_of_whom_no_helmet_is_asked_make_no_share_better() -> None:
    camera = Camera()
    camera.show(seen(FAR, BEHIND), 700)
    assert camera.day.share == 0.0


def test_time_without_a_frame_was_not_watched() -> None:
    camera = Camera()
    camera.show(seen(FAR), 10)
    camera.now_ns += 600 * SECOND_NS
    camera.show(seen(FAR), 10)
    assert camera.day.person_s[Why.TOO_SMALL] == pytest.approx(19.6)


def test_a_clock_that_is_set_back_counts_by_the_monotonic_one() -> None:
    book = SightBook()
    for second in range(10):
        book.take(seen(FAR), 2.5, START_NS - second * SECOND_NS, second * SECOND_NS)
    assert added(book.view(START_NS).hours, 0).person_s[Why.TOO_SMALL] == pytest.approx(9)


def test_hours_are_kept_apart_and_the_day_is_the_last_24() -> None:
    camera = Camera()
    for hour in range(30):
        camera.now_ns = START_NS + hour * HOUR_NS
        camera.show(seen(FAR if hour < 10 else NEAR), 600)
    view = camera.book.view(camera.now_ns)
    assert [each.hour for each in view.hours] == list(range(500_000, 500_030))
    assert view.day.person_s[Why.TOO_SMALL] == pytest.approx(4 * 599.8)
    assert view.day.share == pytest.approx(20 / 24)


def test_it_keeps_no_more_than_two_weeks_of_hours() -> None:
    camera = Camera()
    for hour in range(KEPT_H + 50):
        camera.now_ns = START_NS + hour * HOUR_NS
        camera.show(seen(NEAR), 1)
    hours = camera.book.view(camera.now_ns).hours
    assert (len(hours), hours[-1].hour) == (KEPT_H, 500_000 + KEPT_H + 49)


def test_a_restart_goes_on_with_hours_and_line(tmp_path: Path) -> None:
    books = SightBooks(EdgeStates(tmp_path, "sight"))
    for second in range(900):
        books.of("cam-1").take(seen(NEAR, FAR), 2.5, START_NS, second * SECOND_NS)
    books.stage(["cam-1"])
    books.flush()
    assert [path.name for path in (tmp_path / "sight_states").iterdir()] == ["cam-1.sight"]
    before, after = (each.of("cam-1").view(START_NS) for each in (books, SightBooks(EdgeStates(tmp_path, "sight"))))
    assert after == before
    assert after.day.share == 0.5
    assert after.reach is not None
    assert 0.4 < after.reach.judged_from < 0.8


@pytest.mark.parametrize(
    "kept",
    [
        b"no json",
        b"[]",
        b'{"version":1}',
        b'{"version":1,"hours":{"1":{"judged":-1}},"rows":[],"last_hour":[],"smallest":0}',
    ],
)
def test_what_cannot_be_read_is_begun_anew_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kept: bytes
) -> None:
    (tmp_path / "sight_states").mkdir()
    (tmp_path / "sight_states" / "cam-1.sight").write_bytes(kept)
    with caplog.at_level(logging.WARNING):
        book = SightBooks(EdgeStates(tmp_path, "sight")).of("cam-1")
    assert book.view(START_NS).hours == ()
    assert "event=sight_begun_anew camera=cam-1" in caplog.text
