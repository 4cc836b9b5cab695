"""The formula by hand, and what must hold for every project: neither not knowing nor more of a bad thing ever helps."""

import math
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulator.base.packs import PackError, config_root
from regulator.parts.supervision.risk import Band, Factor, Footing, Input, assess, band_of, points
from regulator.parts.supervision.risk_facts import Alarming, PastEvent, RiskFacts, Watched, Work
from regulator.parts.supervision.risk_file import load_risk
from regulator.parts.supervision.risk_inputs import Now, inputs_of

FILE = load_risk()
TEXT = (config_root() / "desk" / "supervision" / "risk.yaml").read_text("utf-8")
DAY = date(2026, 3, 2)
NOW = Now(DAY, 1_772_420_000_000_000_000, 1800)
SEVERITIES = st.decimals(0, 1, places=3)
INPUTS = st.fixed_dictionaries(
    {factor: st.builds(Input, SEVERITIES, st.sampled_from(Footing), st.just("甲"), st.just("a")) for factor in Factor}
)


def given_inputs(**severities: str) -> dict[Factor, Input]:
    """Known inputs, 0 where nothing is said."""
    return {factor: Input(Decimal(severities.get(factor.value, "0")), Footing.KNOWN, "甲", "a") for factor in Factor}


def test_contributions_recomputed_by_hand() -> None:
    found = assess(FILE, given_inputs(crane_state="1", works_grade="0.5", hazards_overdue="0.25"))
    # 1 - 0.35 * 1 = 0.65; 1 - 0.30 * 0.5 = 0.85; 1 - 0.40 * 0.25 = 0.90; product 0.49725; R = 50.275
    assert found.exact == Decimal("50.275")
    assert (found.score, found.band, found.version) == (50, Band.MEDIUM, "risk-2026.1")
    by_hand = {
        Factor.CRANE: 50.275 * math.log(0.65) / math.log(0.49725),
        Factor.WORKS: 50.275 * math.log(0.85) / math.log(0.49725),
        Factor.OVERDUE: 50.275 * math.log(0.90) / math.log(0.49725),
    }
    assert [(each.factor, float(each.share)) for each in found.reasons] == [
        (factor, pytest.approx(share)) for factor, share in by_hand.items()
    ]
    assert [points(each.share) for each in found.reasons] == ["31.0", "11.7", "7.6"]
    assert all(each.share == 0 for each in found.contributions if each.factor not in by_hand)


def test_rounded_half_up_and_banded_at_the_cut() -> None:
    assert assess(FILE, given_inputs()).score == 0
    assert assess(FILE, given_inputs(crane_state="0.1")).score == 4, "3.5 is rounded up"
    assert [band_of(FILE, score) for score in (0, 34, 35, 59, 60, 100)] == [
        Band.LOW, Band.LOW, Band.MEDIUM, Band.MEDIUM, Band.HIGH, Band.HIGH,
    ]  # fmt: skip


@given(INPUTS)
def test_shares_add_up_and_the_score_stays_within_its_scale(inputs: dict[Factor, Input]) -> None:
    found = assess(FILE, inputs)
    assert 0 <= found.score <= 100
    assert abs(sum(each.share for each in found.contributions) - found.exact) < Decimal("1e-20")
    assert len(found.reasons) <= 3
    assert assess(FILE, dict(reversed(list(inputs.items())))).contributions == found.contributions


@given(INPUTS, st.sampled_from(Factor))
def test_making_an_input_unknown_never_lowers_the_score(inputs: dict[Factor, Input], factor: Factor) -> None:
    lost = inputs | {factor: replace(inputs[factor], footing=Footing.UNKNOWN)}
    assert assess(FILE, lost).exact >= assess(FILE, inputs).exact


FACTS = st.builds(
    RiskFacts,
    project_code=st.just("p-1"),
    status=st.sampled_from(["running", "stopped", "unregistered"]),
    last_seen_ns=st.sampled_from([0, NOW.at_ns]),
    alarms=st.lists(
        st.builds(
            Alarming,
            st.sampled_from(["crane.moment.violation", "crane.wind.notice", "pit.level", "vision.helmet"]),
            st.sampled_from(["P1", "P2", "P3", "log"]),
            st.integers(1, 5),
        ),
        max_size=4,
    ),
    watched=st.lists(
        st.builds(Watched, st.sampled_from(["tower_crane", "deep_pit", "camera"]), st.sampled_from([0, NOW.at_ns])),
        max_size=3,
    ),
    works=st.lists(
        st.builds(
            Work, st.sampled_from(["pit", "lifting"]), st.sampled_from(["running", "planned", "paused"]), st.booleans()
        ),
        max_size=3,
    ),
    warnings=st.lists(st.sampled_from(["red", "orange", "yellow", "blue"]), max_size=2),
    overdue_general=st.integers(0, 10),
    overdue_major=st.integers(0, 5),
    check_ins=st.sets(
        st.tuples(
            st.sampled_from(["project_manager", "safety_officer", "supervisor"]),
            st.sampled_from([f"2026-02-{day}" for day in range(20, 29)] + ["2026-03-01"]),
        )
    ),
    past=st.lists(st.builds(PastEvent, st.dates(date(2025, 1, 1), DAY), st.integers(0, 30)), max_size=3),
    key_risk=st.booleans(),
)


def score_of(facts: RiskFacts) -> Decimal:
    return assess(FILE, inputs_of(FILE, facts, NOW)).exact


@given(FACTS, st.integers(0, 3), st.integers(0, 3))
def test_more_overdue_hazards_never_lower_the_score(facts: RiskFacts, general: int, major: int) -> None:
    more = replace(facts, overdue_general=facts.overdue_general + general, overdue_major=facts.overdue_major + major)
    assert score_of(more) >= score_of(facts)


@given(FACTS)
def test_a_box_that_falls_silent_never_lowers_the_score(facts: RiskFacts) -> None:
    facts.watched = [*facts.watched, Watched("tower_crane", NOW.at_ns), Watched("deep_pit", NOW.at_ns)]
    before = assess(FILE, inputs_of(FILE, facts, NOW))
    last = {each.factor.value: each.severity for each in before.contributions}
    dark = replace(facts, last_seen_ns=0, warnings=[], alarms=[], last=last)
    dark.watched = [replace(each, last_minute_ns=0) for each in facts.watched]
    assert score_of(dark) >= before.exact


def test_a_standing_alarm_counts_while_the_box_is_silent() -> None:
    facts = RiskFacts("p-1", "running", watched=[Watched("tower_crane", 0)])
    facts.alarms = [Alarming("crane.moment.violation", "P1", 2)]
    found = inputs_of(FILE, facts, NOW)[Factor.CRANE]
    assert (found.severity, found.footing) == (Decimal(1), Footing.UNKNOWN)
    assert found.zh == "起重机械状态：1 台中 1 台无有效数据，未恢复报警 P1×2（未知）"
    assert found.en == "state of the cranes: 1 of 1 without valid data, standing alarms P1×2 (unknown)"


def test_key_people_are_counted_from_the_first_check_in_on() -> None:
    facts = RiskFacts("p-1", "running", check_ins={("safety_officer", "2026-02-28"), ("supervisor", "2026-03-01")})
    found = inputs_of(FILE, facts, NOW)[Factor.PEOPLE]
    assert (found.severity, found.footing) == (Decimal(4) / 6, Footing.KNOWN)
    assert inputs_of(FILE, RiskFacts("p-1", "running"), NOW)[Factor.PEOPLE].footing is Footing.UNKNOWN


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("medium: 35", "medium: 60", "bands: Value error, expected medium below high"),
        ("pit_state: {weight: 0.35", "pit_state: {weight: 1", "pit_state.weight"),
        ("unknown: 0.3", "unknown: 0", "weather.unknown"),
        ("roles: [project_manager,", "roles: [cook,", "key_people.roles.0"),
        ("version: 1", "version: 2", "version"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in TEXT
    path = tmp_path / "risk.yaml"
    path.write_text(TEXT.replace(old, new, 1), "utf-8")
    with pytest.raises(PackError) as refused:
        load_risk(path)
    assert str(path) in str(refused.value)
    assert told in str(refused.value)


def test_a_severity_outside_its_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 to 1"):
        Input(Decimal("1.01"), Footing.KNOWN, "", "")
