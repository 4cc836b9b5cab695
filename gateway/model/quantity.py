"""Points: what a number means, where it comes from and what is believable.

In: one `Point` per configured signal, built from settings. Out: `PointTable`, whose positions are the
`point_index` that every `Readings` carries. Knows nothing of wires, files or rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Point:
    """One signal of one asset.

    `point_id` is `<asset>.<quantity>` (for example `crane-1.moment_pct`) and unique on the box.
    `minimum`/`maximum` bound what the instrument can believably say; outside is quality BAD.
    `stale_after_s` is the age at which the last value counts as UNKNOWN. Changes up to `deadband` need not be reported.
    Rules name the point by `role`: that is its quantity, unless several points of the asset mean the same (the twenty
    wall-top points of a pit), when `item` says what. `on_request`: not believed before commissioning has confirmed it.
    """

    point_id: str
    asset: str
    quantity: str
    unit: str
    device: str
    title_zh: str
    title_en: str
    minimum: float = -np.inf
    maximum: float = np.inf
    stale_after_s: float = 30.0
    source: str = ""
    deadband: float = 0.0
    item: str = ""
    on_request: bool = False

    @property
    def role(self) -> str:
        """The name by which rules call this point."""
        return self.item or self.quantity


@dataclass(frozen=True)
class PointTable:
    """All points of the box in a fixed order; position = `point_index`. Raises ValueError on a repeated id."""

    points: tuple[Point, ...]
    index_of: dict[str, int] = field(init=False)
    stale_after_ns: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        index_of = {point.point_id: i for i, point in enumerate(self.points)}
        if len(index_of) != len(self.points):
            raise ValueError("two points share one id")
        object.__setattr__(self, "index_of", index_of)
        stale = np.array([point.stale_after_s * 1e9 for point in self.points], dtype=np.int64)
        object.__setattr__(self, "stale_after_ns", stale)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> Point:
        return self.points[index]

    def of_device(self, device: str) -> Sequence[int]:
        """Positions of the points that `device` delivers, in table order."""
        return [i for i, point in enumerate(self.points) if point.device == device]
