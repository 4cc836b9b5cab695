from collections.abc import Sequence
from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest

from gateway.model.alarm import Alarm, Severity
from gateway.model.rule import RuleFamily
from gateway.model.verdict import FALSE, UNKNOWN
from gateway.web.overview import (
    MOST_ROWS,
    AboutData,
    AssetIndex,
    AssetStanding,
    Standing,
    TopState,
    count_waiting,
    list_alarms,
    stand,
)
from tests.fakes.site import NOW_NS, SECOND_NS, info, silence, threshold

NOTHING = AboutData([])


def alarm(number: int = 1, severity: Severity = Severity.P1, asset: str = "crane-1", **changes: object) -> Alarm:
    rule = info(f"rule-{number}", severity)
    raised_at_ns = NOW_NS + number * SECOND_NS
    made = Alarm(f"A{number}", rule, f"{asset}.q", asset, "tower-crane", False, raised_at_ns, 120.0, 100.0)
    return replace(made, **changes)  # type: ignore[arg-type]


def ids(alarms: Sequence[Alarm]) -> list[str]:
    return [each.alarm_id for each in alarms]


def test_what_waits_comes_before_what_is_seen_to_and_the_gravest_and_newest_first() -> None:
    alarms = [
        alarm(1, Severity.P3),
        alarm(2, Severity.P1, acknowledged=True),
        alarm(3, Severity.P1),
        alarm(4, Severity.P2),
        alarm(5, Severity.P1),
        alarm(6, Severity.P1, active=False),
    ]
    listed = list_alarms(alarms, NOTHING)
    assert ids(listed.rows) == ["A5", "A3", "A6", "A4", "A1", "A2"]
    assert listed.first_waiting is not None
    assert listed.first_waiting.alarm_id == "A5"


@pytest.mark.parametrize(("count", "more"), [(0, 0), (MOST_ROWS, 0), (MOST_ROWS + 1, 1), (200, 200 - MOST_ROWS)])
def test_what_does_not_fit_is_counted(count: int, more: int) -> None:
    listed = list_alarms([alarm(number) for number in range(count)], NOTHING)
    assert (len(listed.rows), listed.more) == (min(count, MOST_ROWS), more)


def test_two_hundred_notices_push_no_grave_alarm_off_the_list() -> None:
    notices = [alarm(number, Severity.P3) for number in range(1, 201)]
    listed = list_alarms([*notices, alarm(0, Severity.P1)], NOTHING)
    assert listed.rows[0].alarm_id == "A0", "the oldest of all, and the gravest"


def test_what_calls_nobody_is_counted_and_not_listed() -> None:
    alarms = [
        alarm(1, shelved_until_ns=NOW_NS + 1),
        alarm(2, out_of_service=True),
        alarm(3, suppressed_by="rule-9"),
        alarm(4, withheld=True),
        alarm(5, Severity.LOG),
    ]
    listed = list_alarms(alarms, NOTHING)
    assert listed.rows == ()
    assert listed.first_waiting is None
    assert (listed.shelved, listed.out_of_service, listed.suppressed, listed.diagnostics) == (1, 1, 2, 1)
    assert set(count_waiting(alarms).values()) == {0}


def test_what_speaks_of_the_measuring_is_counted_aside_with_its_gravest_priority() -> None:
    flat = replace(threshold(rule=info("flat", Severity.P3)), family=RuleFamily.FLAT_LINE)
    lost = silence()
    about = AboutData([flat, lost])
    notice = replace(alarm(1, Severity.P3), rule=flat.info)
    silent = replace(alarm(2, Severity.P2), rule=lost.info)
    listed = list_alarms([notice, silent, alarm(3, Severity.P3)], about)
    assert (ids(listed.rows), listed.diagnostics, listed.diagnostics_waiting) == (["A3", "A2"], 2, Severity.P2)
    crowd = list_alarms([silent, *(alarm(number, Severity.P3) for number in range(9, 9 + MOST_ROWS))], about)
    assert "A2" not in ids(crowd.rows), "it is shown where there is room, and buries no alarm"
    seen = list_alarms([notice, replace(silent, acknowledged=True)], about)
    assert seen.diagnostics_waiting is Severity.P3
    assert count_waiting([notice, silent])[Severity.P2] == 1, "it sounds, so it is counted at the top"


def test_the_counts_at_the_top_are_of_what_waits() -> None:
    alarms = [alarm(1), alarm(2, acknowledged=True), alarm(3, active=False), alarm(4, Severity.P3)]
    assert count_waiting(alarms) == {Severity.P1: 2, Severity.P2: 0, Severity.P3: 1}


def standing_of(alarms: Sequence[Alarm] = (), *, unjudged: int = 0, silent_s: float | None = None) -> AssetStanding:
    index = AssetIndex(["crane-1"], [], ["crane-1"])
    return stand(index, alarms, np.array([unjudged]), [silent_s])[0]


def test_only_an_asset_that_is_known_to_be_well_is_normal() -> None:
    assert standing_of().standing is Standing.OK
    assert standing_of(unjudged=1).standing is Standing.UNJUDGED
    assert standing_of(silent_s=252.0).standing is Standing.SILENT
    assert standing_of(silent_s=nan).standing is Standing.NO_DATA


def test_an_alarm_outranks_silence_and_keeps_its_age() -> None:
    found = standing_of([alarm(1, Severity.P2), alarm(2, Severity.P3)], silent_s=252.0)
    assert (found.standing, found.alarms, found.silent_s) == (Standing.P2, 2, 252.0)


def test_an_asset_is_acknowledged_when_its_gravest_alarms_are() -> None:
    seen_to = alarm(1, acknowledged=True)
    assert standing_of([seen_to, alarm(2, Severity.P3)]).acknowledged
    assert not standing_of([seen_to, alarm(3)]).acknowledged


def test_a_shelved_alarm_colours_no_asset() -> None:
    assert standing_of([alarm(1, shelved_until_ns=NOW_NS + 1)]).standing is Standing.OK


def test_silence_is_when_the_last_instrument_stops_and_its_age_is_that_of_the_last_word() -> None:
    index = AssetIndex(["a", "b", "c"], [], ["a", "a", "b", ""])
    unknown, age_s = np.array([True, False, True, True]), np.array([90.0, 0.1, 30.0, 5.0])
    speaks, silent, nothing = index.silent_s(unknown, age_s)
    assert (speaks, silent) == (None, 30.0)
    assert nothing is not None
    assert isnan(nothing), "an asset without a device has no data, which is not normal"


def test_rules_without_a_verdict_are_counted_by_asset() -> None:
    rules = [threshold(0), replace(threshold(1), asset="crane-2"), replace(threshold(2), asset="gone")]
    index = AssetIndex(["crane-1", "crane-2"], rules, [])
    assert list(index.unjudged(np.array([UNKNOWN, FALSE, UNKNOWN], dtype=np.uint8))) == [1, 0]


@pytest.mark.parametrize(("raised", "share"), [(0, 0.0), (10, 10 / 15), (15, 1.0), (400, 1.0)])
def test_the_flood_line_stands_at_two_thirds_of_the_rate(raised: int, share: float) -> None:
    top = TopState({}, raised, 10, raised > 10, 0, 0, (), ())
    assert top.rate_share == pytest.approx(share)
