from datetime import UTC, date, datetime

import pytest

from gateway.model.papers import CranePapers, DriverStanding, Period, local_day


def at(text: str) -> int:
    """UTC ns of a local time (UTC+8)."""
    return int(datetime.fromisoformat(f"{text}+08:00").timestamp()) * 10**9


def papers(**given: object) -> CranePapers:
    return CranePapers("crane-1", **given)  # type: ignore[arg-type]


def test_a_local_day_begins_at_sixteen_hours_utc() -> None:
    midnight_ns = int(datetime(2026, 3, 31, 16, tzinfo=UTC).timestamp()) * 10**9
    assert local_day(midnight_ns - 1) == date(2026, 3, 31)
    assert local_day(midnight_ns) == date(2026, 4, 1)


def test_nothing_filed_is_not_known() -> None:
    now_ns = at("2026-11-22T10:00:00")
    empty = papers()
    assert empty.registered(now_ns) is None
    assert empty.climb_checked(now_ns) is None
    assert empty.driver_certified("7", now_ns) is None
    assert empty.inspected(now_ns) is None
    assert empty.maintained(now_ns) is None


@pytest.mark.parametrize(
    ("now", "valid"),
    [
        ("2026-01-01T00:00:00", True),
        ("2025-12-31T23:59:59", False),
        ("2026-03-31T23:59:59", True),
        ("2026-04-01T00:00:00", False),
    ],
)
def test_a_registration_is_valid_through_its_last_local_day(now: str, valid: bool) -> None:
    registration = Period(date(2026, 1, 1), date(2026, 3, 31))
    assert papers(registration=registration).registered(at(now)) is valid


def test_a_registration_without_an_end_stays_valid() -> None:
    assert papers(registration=Period(date(2026, 1, 1))).registered(at("2036-01-01T00:00:00")) is True


@pytest.mark.parametrize(
    ("now", "checked"),
    [
        ("2026-11-19T23:59:59", False),
        ("2026-11-20T00:00:00", True),
        ("2026-11-21T23:59:59", True),
        ("2026-11-22T00:00:00", False),
    ],
)
def test_a_climbing_check_covers_its_day_and_the_next(now: str, checked: bool) -> None:
    assert papers(climbing_checks=(date(2026, 11, 20),)).climb_checked(at(now)) is checked


def test_a_site_may_let_a_check_cover_its_own_day_only() -> None:
    one_day = papers(climbing_checks=(date(2026, 11, 20),), climbing_check_days=1)
    assert one_day.climb_checked(at("2026-11-20T23:59:59")) is True
    assert one_day.climb_checked(at("2026-11-21T00:00:00")) is False


def test_a_site_that_files_checks_and_made_none_has_not_checked() -> None:
    assert papers(climbing_checks=()).climb_checked(at("2026-11-20T10:00:00")) is False


NOW_NS = at("2026-11-22T10:00:00")


@pytest.mark.parametrize(
    ("standing", "certified"),
    [
        (None, None),
        (DriverStanding("p", holds_certificates=False, driver_until=None), None),
        (DriverStanding("p", holds_certificates=True, driver_until=None), False),
        (DriverStanding("p", holds_certificates=True, driver_until=date(2026, 11, 21)), False),
        (DriverStanding("p", holds_certificates=True, driver_until=date(2026, 11, 22)), True),
    ],
    ids=["nobody known", "no certificate filed", "another kind only", "expired yesterday", "last day"],
)
def test_a_driver_is_certified_by_what_is_on_file(standing: DriverStanding | None, certified: bool | None) -> None:
    asked = []

    def lookup(asset: str, driver_no: str) -> DriverStanding | None:
        asked.append((asset, driver_no))
        return standing

    assert papers(drivers=lookup).driver_certified("7", NOW_NS) is certified
    assert asked == [("crane-1", "7")]


def test_one_inspection_that_covers_today_is_enough() -> None:
    old, current = Period(last=date(2025, 11, 1)), Period(date(2026, 11, 22), date(2027, 11, 21))
    assert papers(inspections=(old, current)).inspected(NOW_NS) is True
    assert papers(inspections=(old,)).inspected(NOW_NS) is False
    assert papers(inspections=()).inspected(NOW_NS) is False


def test_maintenance_is_due_through_its_day() -> None:
    assert papers(maintenance_due=date(2026, 11, 22)).maintained(NOW_NS) is True
    assert papers(maintenance_due=date(2026, 11, 21)).maintained(NOW_NS) is False
