"""What a rule says does not depend on which others are judged with it: the short ways that are taken when a whole poll
is good and goes on, or has few rows, say what the long ones say."""

import math
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.reading import Quality, Readings
from gateway.model.rule import Direction, ResolvedRule
from gateway.rules.table import RuleTable
from tests.fakes.site import NOW_NS, threshold
from tests.fakes.windowed_rules import ANSWERED, above, below, flat_line, gated, impossible

RULES = [
    threshold(0, 3.0, deadband=1.0),
    threshold(1, 2.0, direction=Direction.LOW),
    impossible(0, max_step_per_s=2.0),
    impossible(1),
    flat_line(0, for_s=3.0, gap_s=2.5),
    flat_line(1, for_s=3.0, tolerance=1.0, gap_s=2.5),
    gated(above(1), deadband=1.0),
    gated(below(1, 1.5), above(0, 2.5)),
]
# Their own poll is never good, one has a condition of its own, and one waits for a point that never comes: no family
# that has one of them can take its short way.
OTHERS = [
    threshold(2, 1.0),
    impossible(2, max_step_per_s=1.0),
    flat_line(2, condition_point=2),
    gated(above(3), point=2),
    *(flat_line(2, for_s=for_s) for for_s in range(1, 9)),
]
ALONE, BESIDE = np.arange(2, dtype=np.int32), np.arange(3, dtype=np.int32)
Poll = tuple[float, list[float], list[Quality]]
Said = list[dict[int, tuple[int, float]]]

values = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0])
qualities = st.sampled_from([Quality.GOOD] * 12 + [Quality.SUSPECT, Quality.BAD])
steps_s = st.sampled_from([0.5, 1.0, 1.0, 1.0, 1.0, 4.0, 0.0, -1.0, -8.0])
polls = st.lists(
    st.tuples(steps_s, st.lists(values, min_size=2, max_size=2), st.lists(qualities, min_size=2, max_size=2)),
    min_size=5,
    max_size=40,
)


def said_by(rules: Sequence[ResolvedRule], series: list[Poll], layout: np.ndarray, held: set[int]) -> Said:
    """What the rows of `RULES` say after each poll: truth and what was measured, -1 where that is NaN."""
    table, now_ns, said = RuleTable(rules), NOW_NS, []
    table.hold(held)
    for step_s, value, quality in series:
        now_ns += round(step_s * 1e9)
        told = [x if q is not Quality.BAD else math.nan for x, q in zip(value, quality, strict=True)]
        others = len(layout) - len(value)
        readings = Readings(
            "host-1",
            layout,
            np.array(told + [math.nan] * others),
            np.array(quality + [Quality.BAD] * others, dtype=np.uint8),
            now_ns,
            now_ns,
            ANSWERED,
        )
        verdicts = table.on_readings(readings)
        assert verdicts.truth.dtype == np.uint8
        rows = zip(verdicts.row.tolist(), verdicts.truth.tolist(), verdicts.measured.tolist(), strict=True)
        said.append({row: (truth, -1.0 if math.isnan(x) else x) for row, truth, x in rows if row < len(RULES)})
    return said


@settings(max_examples=300)
@given(polls, st.sets(st.integers(0, len(RULES) - 1)))
def test_a_rule_says_the_same_alone_and_beside_others(series: list[Poll], held: set[int]) -> None:
    assert said_by(RULES, series, ALONE, held) == said_by([*RULES, *OTHERS], series, BESIDE, held)
