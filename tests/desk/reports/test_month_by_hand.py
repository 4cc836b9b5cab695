"""Every figure of section C on March 2026, worked out by hand from tests/fakes/statistics_month.py."""

from collections.abc import Mapping

import pytest

from regulator.base.model.actor import Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.parts.reports.statistics.definitions import DEFINITIONS
from regulator.parts.reports.statistics.figure import Figure
from regulator.parts.reports.statistics.selection import Selection
from tests.fakes.statistics_month import PROVINCE, StatisticsMonth, at

EXPECTED: Mapping[str, tuple[float | None, int]] = {
    # 22 items within 420 s of 9 March, then one an hour: 38 items (second looks are items too). Zhao and Ling judged in
    # the hour from 10 on 9 March, Ling alone from 15 on 10 March: 3 person-hours.
    "desk_rate": (38 / 3, 38),
    # 22 within ten minutes, two people at work in that hour.
    "desk_peak": (11, 38),
    # One ten-minute window of 31 x 144 has 22 / 2 > 10.
    "desk_flood": (100 / 4464, 4464),
    # b1: 5 days of 1440 minutes, b3: 2 of 600: 8400 minutes = 140 h. 3 P1 + 4 P2 + 12 + 2 + 8 P3 = 29.
    "site_rate": (29 / 140, 29),
    # 12 of r.c between 09:00:00 and 09:09:10.
    "site_peak": (12, 29),
    # 840 windows of ten minutes were heard; the one from 09:00 on 4 March has 12.
    "site_flood": (100 / 840, 840),
    # The third P1 never returned; r.d of 5 March returned on 2 April. Nothing else was active at midnight.
    "standing": (2, 2),
    # r.b at :00, :20, :40, :50 is one burst. r.c comes every 50 s: three take 100 s.
    "chattering": (1, 29),
    # The four of r.b went after 5 s, unacknowledged; r.d went after 90 s.
    "fleeting": (4, 29),
    # Twelve tags: 12, 4, 3, 2 and eight of 1. The ten busiest: 12 + 4 + 3 + 2 + 6 = 27 of 29.
    "bad_actors": (2700 / 29, 29),
    "mix_p1": (300 / 29, 29),
    "mix_p2": (400 / 29, 29),
    "mix_p3": (2200 / 29, 29),
    # x (with a reason), y and crane-2 (without); z was unshelved, w's time was over.
    "silenced": (2, 3),
    # P1 after 60 s and 300 s, the third never. P2 never. The twelve of r.c after 30 s.
    "mtta_p1_p50": (60, 2),
    "mtta_p1_p95": (300, 2),
    "mtta_p2_p50": (None, 0),
    "mtta_p2_p95": (None, 0),
    "mtta_p3_p50": (30, 12),
    "mtta_p3_p95": (30, 12),
    # The second P1 (300 s) and the third (never).
    "p1_unacknowledged": (200 / 3, 3),
    # 28 returned: 5 s x 4, 90, 120 x 12, 300, 600, 3600 x 8, 28 days. The 14th is 120 s, the 27th 3600 s.
    "active_time_p50": (120, 28),
    "active_time_p95": (3600, 28),
    # Closed in March after 2, 10 and 39 days (10 February to 21 March).
    "mttr_p50": (10, 3),
    "mttr_p95": (39, 3),
    # h3 due 20 March (12 days before 1 April), handed up to the city on 25 March; h5's listing due 31 March (1 day).
    "overdue": (2, 2),
    "overdue_county": (1, 2),
    "overdue_city": (1, 2),
    "overdue_province": (0, 2),
    "overdue_days": (12, 2),
    # Due in March: h1 in time, h2 late, h3 not done, h7 in time. h4's was extended into April, h5's is void.
    "on_time": (50, 4),
    # Closed: h1 and h7 in the first round, h2 in the second.
    "first_pass": (200 / 3, 3),
    # Confirmed: h1 to h5. h5 is of h1's rule and place, seen 15 days after h1 was closed.
    "repeated": (20, 5),
    # Found otherwise than by a device: h3, h4.
    "missed": (40, 5),
    # 25 + 3 verdicts of which 6 say false.
    "false_alarms": (600 / 28, 28),
    # 7 true-true, 1 true-false, 2 false-false: observed 0.9, expected 0.8 x 0.7 + 0.2 x 0.3 = 0.62, 0.28 / 0.38.
    "agreement": (0.28 / 0.38, 10),
    # Sent promptly: 0.1 s x 12, 0.5 x 2, 1, 2, 3. The 17th of 17 is 3 s. The twelve of r.c were sent late.
    "latency": (3, 17),
    # A silent box and a gap in March; two boxes.
    "feed_gaps": (2, 2),
    # 5 x 1300 usable minutes of 31 x 1440 (cam-1) + 1440 (cam-2, from 31 March).
    "availability": (100 * 6500 / 46_080, 2),
    # 5 x 1100 of them.
    "judged_time": (100 * 5500 / 46_080, 2),
}


@pytest.fixture
def figures(month: StatisticsMonth) -> dict[str, Figure]:
    return month.figures()


def test_every_figure_is_what_was_worked_out_by_hand(figures: dict[str, Figure]) -> None:
    assert set(EXPECTED) == set(DEFINITIONS)
    assert list(figures) == list(DEFINITIONS)
    found = {key: (figure.value, figure.n) for key, figure in figures.items()}
    assert {key: value for key, value in found.items() if value != pytest.approx(EXPECTED[key], nan_ok=False)} == {}


def test_what_goes_beside_the_numbers(file_month: StatisticsMonth) -> None:
    figures = file_month.figures()
    # Wilson for 6 of 28: centre (0.214286 + 0.068598) / 1.137195 = 0.248755; half 1.723507 x sqrt(.00723808) = .14663
    assert figures["false_alarms"].low == pytest.approx(10.21, abs=0.01)
    assert figures["false_alarms"].high == pytest.approx(39.54, abs=0.01)
    window = figures["site_rate"].window
    assert window is not None
    assert (window.days, window.covered_days, window.indicative) == (31, 5, True)  # heard of on 2 to 6 March
    judged = figures["agreement"].window
    assert judged is not None
    assert judged.covered_days == 23  # 9 to 31 March
    owed = figures["on_time"].window
    assert owed is not None
    assert (owed.covered_days, owed.indicative) == (31, False)  # the register began in February
    assert "P2" in figures["mtta_p2_p95"].why.zh
    assert figures["site_peak"].meets is False
    assert figures["chattering"].meets is False
    assert figures["overdue_province"].meets is True
    assert figures["mix_p1"].meets is None


def test_a_filter_leaves_what_it_names(file_month: StatisticsMonth) -> None:
    rail = file_month.figures(Selection(PROVINCE, None, "urban_rail"))
    # p3: two alarms, seven minutes apart and with a midnight between them
    assert (rail["site_peak"].value, rail["site_peak"].n) == (2, 2)
    assert rail["site_rate"].value == pytest.approx(2 / 20)
    assert rail["missed"].value == 100
    assert rail["false_alarms"].value is None
    assert rail["false_alarms"].n == 3
    city = file_month.figures(Selection(PROVINCE, Scope(Level.CITY, "4401")))
    assert city["site_rate"].n == 27
    outside = file_month.figures(Selection(Scope(Level.CITY, "4403"), Scope(Level.CITY, "4401")))
    assert outside["site_rate"].unknown
    assert outside["missed"].unknown


def test_rates_of_cameras_say_n_and_hide_what_is_too_little(file_month: StatisticsMonth) -> None:
    rates = file_month.statistics().rates
    assert [(rate.source_id, rate.rule_id, rate.n) for rate in rates] == [("cam-1", "r.a", 25), ("cam-9", "r.a", 3)]
    assert rates[0].share is not None
    assert rates[0].share.value == pytest.approx(5 / 25)
    assert rates[1].share is None


def test_days_one_by_one_leave_out_what_nobody_knows(file_month: StatisticsMonth) -> None:
    daily = file_month.statistics().daily
    assert daily["alarms"][:7] == (None, 3, 4, 13, 1, 8, None)
    assert daily["usable"][:3] == (None, pytest.approx(100 * 1300 / 1400), pytest.approx(100 * 1300 / 1400))


def test_a_month_of_which_nothing_is_known_has_no_zero(file_database: DeskDatabase) -> None:
    figures = StatisticsMonth(file_database).figures()
    assert {key for key, figure in figures.items() if not figure.unknown} == set()
    assert all(figure.why.zh and figure.why.en for figure in figures.values())


def test_a_silent_month_is_not_a_quiet_one(file_database: DeskDatabase) -> None:
    month = StatisticsMonth(file_database)
    month.places()
    figures = month.figures()
    assert figures["site_rate"].unknown
    assert figures["chattering"].unknown
    assert figures["standing"].unknown
    assert figures["overdue"].value == 0  # the desk was there, and knows what it wrote down
    month.minutes()
    figures = month.figures()
    assert figures["site_rate"].value == 0
    assert figures["site_peak"].value == 0
    assert figures["mix_p1"].unknown  # no alarm has no share


def test_what_comes_late_changes_its_day(month: StatisticsMonth) -> None:
    assert month.figures()["site_peak"].value == 12
    month.now_ns = at(4, 4)
    for number in range(3):
        month.alarm("b1", "r.c@s3", "P3", at(3, 4, 8, 59, 55 + number), arrived_s=30 * 86_400 - 3600, late=True)
    assert month.figures()["site_peak"].value == 15  # 08:59:55, :56, :57 lie within ten minutes of 09:09:10
    assert month.roll_up() == 0


def test_rolling_up_again_says_the_same(file_month: StatisticsMonth) -> None:
    first = file_month.figures()
    file_month.now_ns = at(4, 4)
    assert file_month.figures() == first
