"""A surveyor's table of the last weeks: prisms on a wall top, read twice a day, one of them creeping towards failure.

In: the time of the last reading and a seed. Out: CSV as a surveyor brings it (测点, 观测时间, 读数, UTC+8), for the
box's import. The creeping prism follows Voight's law with alpha = 2, v = c / (time left); the others move a little and
slow down; total stations add their noise. Pure: the same arguments give the same table.
"""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

SITE_ZONE = timezone(timedelta(hours=8))
CREEPING = "zqs-12"
CALM = ("zqs-10", "zqs-11")
EVERY_H = 12.0
NOISE_MM = 0.1
_VOIGHT_MM = 5.0
_STEADY_MM_D = 0.15


def surveyors_table(last_ns: int, days: float = 20.0, failure_in_h: float = 32.0, seed: int = 1) -> str:
    """The table; `failure_in_h` is how long after the last reading the wall at the creeping prism would fail."""
    lines = ["测点,观测时间,读数(mm)"]
    lines += [
        f"{point},{at:%Y-%m-%d %H:%M:%S},{value:.2f}" for at, point, value in _rows(last_ns, days, failure_in_h, seed)
    ]
    return "\n".join(lines) + "\n"


def _rows(last_ns: int, days: float, failure_in_h: float, seed: int) -> Iterator[tuple[datetime, str, float]]:
    noise = random.Random(seed)
    last = datetime.fromtimestamp(last_ns // 1_000_000_000, UTC).astimezone(SITE_ZONE)
    count = int(days * 24 / EVERY_H)
    for i in range(count + 1):
        before_h = (count - i) * EVERY_H
        at, day = last - timedelta(hours=before_h), i * EVERY_H / 24
        left_d, whole_d = (before_h + failure_in_h) / 24, days + failure_in_h / 24
        creep_mm = 4.0 + _STEADY_MM_D * day + _VOIGHT_MM * math.log(whole_d / left_d)
        yield at, CREEPING, creep_mm + noise.gauss(0, NOISE_MM)
        for n, point in enumerate(CALM):
            yield at, point, 3.0 + n + 2.5 * (1 - math.exp(-day / 6)) + noise.gauss(0, NOISE_MM)
