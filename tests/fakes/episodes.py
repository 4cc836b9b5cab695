"""Alarm episodes as columns, written down in a line, for tests of the figures."""

from collections.abc import Sequence

import numpy as np

from gateway.figures.alarm_load import TEN_MINUTES_NS
from gateway.figures.episodes import Episodes, Tag

S = 1_000_000_000
T0 = 1_700_000_000 * S // TEN_MINUTES_NS * TEN_MINUTES_NS


def episodes(
    raised: Sequence[int],
    returned: Sequence[int] | None = None,
    acknowledged: Sequence[int] | None = None,
    severity: Sequence[int] | None = None,
    tag: Sequence[int] | None = None,
    still_open: Sequence[bool] | None = None,
) -> Episodes:
    n = len(raised)
    numbers = list(tag) if tag is not None else list(range(n))
    ends = list(returned) if returned is not None else [0] * n
    return Episodes(
        np.array(raised, dtype=np.int64),
        np.array(acknowledged if acknowledged is not None else [0] * n, dtype=np.int64),
        np.array(ends, dtype=np.int64),
        np.array(severity if severity is not None else [0] * n, dtype=np.uint8),
        np.array(numbers, dtype=np.int32),
        np.array(still_open if still_open is not None else [end == 0 for end in ends], dtype=np.bool_),
        tuple(Tag("rule", f"point-{i}") for i in range(max(numbers, default=-1) + 1)),
    )
