"""What the alarm pages ask of alerts.db: closed alarms by key, earlier episodes, what began together."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.alarm import Alarm, Severity
from gateway.store.alarm_history import GROUP_SPAN_NS, AlarmHistory, Chosen, PlaceInHistory
from gateway.store.alert_store import AlertStore, Commit
from tests.fakes.site import NOW_NS, SECOND_NS, info

ALL = Chosen()


def _alarm(alarm_id: str, at_s: float = 0.0, **changes: object) -> Alarm:
    at_ns = NOW_NS + round(at_s * SECOND_NS)
    alarm = Alarm(alarm_id, info("load"), "crane-1.q0", "crane-1", "tower-crane", False, at_ns, 5.0, 4.0)
    return replace(alarm, **changes)  # type: ignore[arg-type]


def _closed(alarm_id: str, at_s: float = 0.0, **changes: object) -> Alarm:
    return _alarm(alarm_id, at_s, **{"active": False, "acknowledged": True} | changes)


class Kept:
    """A store with alarms, and its history."""

    def __init__(self, folder: Path) -> None:
        self.store = AlertStore(folder, 64 * 1024)
        self.history = AlarmHistory(self.store.path)

    def keep(self, *alarms: Alarm) -> None:
        for alarm in alarms:
            self.store.commit(Commit(NOW_NS, alarms=[alarm])).result()

    def ids(self, chosen: Chosen = ALL, after: PlaceInHistory | None = None, limit: int = 10) -> list[str]:
        return [alarm.alarm_id for alarm in self.history.closed(chosen, after, limit)]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_an_empty_file_has_no_history(kept: Kept) -> None:
    assert (kept.ids(), kept.history.notes(), kept.history.episodes_of("load", "crane-1.q0", 5)) == ([], [], [])


def test_closed_alarms_newest_first_without_what_is_open_or_was_withheld(kept: Kept) -> None:
    kept.keep(_closed("a", 1), _closed("b", 2), _alarm("open", 3, subject="crane-1.q9"))
    kept.keep(_closed("withheld", 4, withheld=True, subject="crane-1.q8"))
    assert kept.ids() == ["b", "a"]


def test_pages_by_key_lose_and_repeat_nothing_where_times_are_the_same(kept: Kept) -> None:
    kept.keep(*[_closed(name, 0, subject=f"crane-1.{name}") for name in "abcde"])
    seen: list[str] = []
    place = None
    while page := kept.history.closed(ALL, place, 2):
        seen += [alarm.alarm_id for alarm in page]
        place = PlaceInHistory(page[-1].raised_at_ns, page[-1].alarm_id)
    assert seen == ["e", "d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        (Chosen(asset="crane-2"), ["b"]),
        (Chosen(severity=Severity.P3), ["c"]),
        (Chosen(from_ns=NOW_NS + SECOND_NS, to_ns=NOW_NS + 2 * SECOND_NS), ["b"]),
        (Chosen(asset="crane-2", severity=Severity.P3), []),
        (Chosen(asset="' OR 1=1 --"), []),
    ],
)
def test_filters(kept: Kept, chosen: Chosen, ids: list[str]) -> None:
    kept.keep(_closed("a", 0), _closed("b", 1, asset="crane-2"), _closed("c", 2, rule=info("tilt", Severity.P3)))
    assert kept.ids(chosen) == ids


def test_earlier_episodes_of_one_rule_about_one_subject(kept: Kept) -> None:
    kept.keep(_closed("a", 0), _closed("other", 1, subject="crane-1.q1"), _closed("b", 2), _alarm("now", 3))
    found = kept.history.episodes_of("load", "crane-1.q0", 2)
    assert [alarm.alarm_id for alarm in found] == ["now", "b"]
    assert kept.history.raises_since("load", "crane-1.q0", NOW_NS + 1) == [
        NOW_NS + 2 * SECOND_NS,
        NOW_NS + 3 * SECOND_NS,
    ]


def test_a_group_is_the_same_from_every_member_with_the_first_out_first(kept: Kept) -> None:
    first = _closed("z-first", 0)
    late, soon = (
        _alarm("late", 5, first_out_id="z-first", subject="q1"),
        _alarm("soon", 0, first_out_id="z-first", subject="q2"),
    )
    kept.keep(late, soon, first, _alarm("alone", 2, subject="q3"))
    for member in (first, late, soon):
        assert [alarm.alarm_id for alarm in kept.history.group_of(member)] == ["z-first", "soon", "late"]
    assert kept.history.group_of(_alarm("alone", 2)) == []


def test_a_follower_whose_first_is_far_away_stands_alone(kept: Kept) -> None:
    far = _alarm("far", GROUP_SPAN_NS / SECOND_NS + 1, first_out_id="first", subject="q1")
    kept.keep(_closed("first", 0), far)
    assert kept.history.group_of(far) == []
