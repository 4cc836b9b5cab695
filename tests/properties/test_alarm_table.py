"""The alarm table under any sequence of verdicts, delays and clocks."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.alarms import AlarmTable, Phase, step
from gateway.model.alarm import TransitionKind
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import Truth, Verdicts
from tests.fakes.site import BOX, NOW_NS, threshold

ACTIVE = (Phase.ACTIVE, Phase.OFF_DELAY)
truths = st.sampled_from(Truth)
delays = st.sampled_from([0.0, 0.5, 2.0])
rules = st.lists(st.tuples(delays, delays), min_size=1, max_size=5).map(
    lambda pairs: [threshold(row, on_delay_s=on, off_delay_s=off) for row, (on, off) in enumerate(pairs)]
)
# Time mostly goes on, sometimes stands still, sometimes a clock is set back.
steps_ns = st.sampled_from([0, 100_000_000, 500_000_000, 2_000_000_000, -3_600_000_000_000])


@given(st.sampled_from(Phase), truths, st.floats(0, 100), st.floats(0, 100))
def test_a_step_only_ever_moves_as_the_standard_allows(
    phase: Phase, truth: Truth, elapsed_s: float, delay_s: float
) -> None:
    after, kind = step(phase, truth, elapsed_s, delay_s)
    if kind is TransitionKind.RAISED:
        assert phase not in ACTIVE
        assert (after, truth) == (Phase.ACTIVE, Truth.TRUE)
        assert delay_s <= elapsed_s
    if kind is TransitionKind.RETURNED:
        assert phase in ACTIVE
        assert (after, truth) == (Phase.INACTIVE, Truth.FALSE)
        assert delay_s <= elapsed_s
    assert ((phase in ACTIVE) != (after in ACTIVE)) == (kind is not None)
    if truth is Truth.UNKNOWN:
        assert (phase in ACTIVE) == (after in ACTIVE)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[ResolvedRule], list[tuple[list[int], list[Truth], int]]]:
    table = draw(rules)
    at_ns, polls = NOW_NS, []
    for _ in range(draw(st.integers(1, 25))):
        at_ns += draw(steps_ns)
        rows = draw(st.lists(st.integers(0, len(table) - 1), min_size=1, max_size=len(table), unique=True))
        polls.append((rows, [draw(truths) for _ in rows], at_ns))
    return table, polls


def _verdicts(rows: list[int], truth: list[Truth], at_ns: int) -> Verdicts:
    return Verdicts(
        np.array(rows, dtype=np.int32),
        np.array(truth, dtype=np.uint8),
        np.where(np.array(truth) == Truth.UNKNOWN, np.nan, 120.0),
        at_ns,
    )


@settings(max_examples=60)
@given(histories())
def test_a_poll_at_once_equals_its_rows_one_by_one(
    history: tuple[list[ResolvedRule], list[tuple[list[int], list[Truth], int]]],
) -> None:
    table, polls = history
    together, alone = AlarmTable(BOX, table), AlarmTable(BOX, table)
    for rows, truth, at_ns in polls:
        at_once = together.step(_verdicts(rows, truth, at_ns))
        one_by_one = [
            transition
            for row, one in zip(rows, truth, strict=True)
            for transition in alone.step(_verdicts([row], [one], at_ns))
        ]
        assert at_once == one_by_one
        assert (together.phase == alone.phase).all()
        assert together.open_alarms() == alone.open_alarms()


@settings(max_examples=60)
@given(histories())
def test_every_episode_is_raised_once_then_returns_once_and_unknown_does_neither(
    history: tuple[list[ResolvedRule], list[tuple[list[int], list[Truth], int]]],
) -> None:
    rules_, polls = history
    table = AlarmTable(BOX, rules_)
    active: dict[str, str] = {}
    seen: set[str] = set()
    for rows, truth, at_ns in polls:
        said = {rules_[row].subject: one for row, one in zip(rows, truth, strict=True)}
        for transition in table.step(_verdicts(rows, truth, at_ns)):
            alarm = transition.alarm
            if transition.kind is TransitionKind.RAISED:
                assert said[alarm.subject] is Truth.TRUE
                assert alarm.alarm_id not in seen
                assert alarm.subject not in active
                active[alarm.subject] = alarm.alarm_id
                seen.add(alarm.alarm_id)
            else:
                assert said[alarm.subject] is Truth.FALSE
                assert active.pop(alarm.subject) == alarm.alarm_id
        assert {alarm.subject for alarm in table.open_alarms() if alarm.active} == set(active)


@settings(max_examples=40)
@given(histories(), st.data())
def test_a_restart_in_the_middle_raises_nothing_twice(
    history: tuple[list[ResolvedRule], list[tuple[list[int], list[Truth], int]]], data: st.DataObject
) -> None:
    rules_, polls = history
    table = AlarmTable(BOX, rules_)
    active: set[str] = set()
    for rows, truth, at_ns in polls:
        if data.draw(st.booleans()):
            before = {alarm.alarm_id for alarm in table.open_alarms() if alarm.active}
            held = table.open_alarms()
            table = AlarmTable(BOX, rules_)
            table.restore(held)
            assert {alarm.alarm_id for alarm in table.open_alarms() if alarm.active} == before == active
        for transition in table.step(_verdicts(rows, truth, at_ns)):
            subjects = {alarm.subject for alarm in table.open_alarms() if alarm.active}
            if transition.kind is TransitionKind.RAISED:
                active.add(transition.alarm.alarm_id)
                assert transition.alarm.subject in subjects
            else:
                active.remove(transition.alarm.alarm_id)
