"""From which row of the picture on heads are large enough, learnt from the people that were seen there. Pure.

In: feet and heads of people, for how long. Out: `Reach`. Bounded: 32 rows of 32 sizes, whatever is seen.

    row of the feet     sizes seen there (seconds)        median     rising
    0.41                ..##........                       9 px       9          too far
    0.50                ....#######.                      16 px      15
    0.56                ...###......                      14 px      15          --- smallest head: 20 px
    0.78                ..........###                     31 px      31          from here on judged

On ground that is not turned over, who stands lower in the picture is nearer. So medians are made to rise (a row that
breaks the order is laid together with its neighbours by their lower median), and one odd row, a poster or a man on a
ladder, does not move the line. A row forgets by halves: after half an hour of people what a turned camera sees counts.
"""

from itertools import accumulate
from math import log2
from typing import Final

from gateway.model.sight import Reach

ROWS: Final = 32
SIZES: Final = 32
SIZES_AN_OCTAVE: Final = 4
SMALLEST_SIZE: Final = 1 / 512  # of the picture's height: 2 px of 1080
ROW_S: Final = 1800.0
ENOUGH_ROW_S: Final = 10.0
"""Person-seconds: the most that a row remembers, and the fewest that tell its size. PD"""
KEPT_H: Final = 14 * 24


class SizesByRow:
    """How large heads were, by the row of the feet. `seconds` [row][size]; `last_hour` by row, 0 for never."""

    def __init__(self) -> None:
        self.seconds = [[0.0] * SIZES for _ in range(ROWS)]
        self.last_hour = [0] * ROWS

    def take(self, foot_share: float, head_share: float, seconds: float, hour: int) -> None:
        """Somebody stood there for so long. `foot_share` and `head_share` in parts of the picture's height."""
        row = min(max(int(foot_share * ROWS), 0), ROWS - 1)
        size = round(SIZES_AN_OCTAVE * log2(max(head_share, SMALLEST_SIZE) / SMALLEST_SIZE))
        self.seconds[row][min(size, SIZES - 1)] += seconds
        self.last_hour[row] = hour
        if sum(self.seconds[row]) > ROW_S:
            self.seconds[row] = [each / 2 for each in self.seconds[row]]

    def reach(self, smallest_share: float, hour: int) -> Reach | None:
        """The rows of the last 14 days against the smallest head that is judged; None before any row is told."""
        told = [
            (row, _median(self.seconds[row]))
            for row in range(ROWS)
            if sum(self.seconds[row]) >= ENOUGH_ROW_S and hour - self.last_hour[row] < KEPT_H
        ]
        if not told:
            return None
        seen_from, seen_to = told[0][0] / ROWS, (told[-1][0] + 1) / ROWS
        heads = rising([size for _, size in told])
        near = next((place for place, head in enumerate(heads) if head >= smallest_share), None)
        if near is None:
            return Reach(seen_from, seen_to, None)
        if near == 0:
            return Reach(seen_from, seen_to, seen_from)
        (above, _), (below, _) = told[near - 1], told[near]
        way = (smallest_share - heads[near - 1]) / (heads[near] - heads[near - 1])
        return Reach(seen_from, seen_to, (above + 0.5 + way * (below - above)) / ROWS)


def rising(values: list[float]) -> list[float]:
    """The nearest values that never fall: neighbours in the wrong order become one block with their lower median."""
    blocks: list[list[float]] = []
    for value in values:
        blocks.append([value])
        while len(blocks) > 1 and _lower_median(blocks[-2]) > _lower_median(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    return [_lower_median(block) for block in blocks for _ in block]


def _median(seconds: list[float]) -> float:
    """The size with half of the seconds below it, in parts of the picture's height."""
    half = sum(seconds) / 2
    size = next(place for place, passed in enumerate(accumulate(seconds)) if passed >= half)
    return float(SMALLEST_SIZE * 2 ** (size / SIZES_AN_OCTAVE))


def _lower_median(values: list[float]) -> float:
    return sorted(values)[(len(values) - 1) // 2]
