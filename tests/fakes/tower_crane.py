"""A tower crane and its model, fed by keywords: what is not given keeps its last value."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isnan, nan
from typing import Any

import numpy as np

from gateway.model.derivation import AssetEvent, Json
from gateway.model.papers import Papers
from gateway.parts.crane.model.crane import CraneDerivation
from gateway.parts.crane.model.description import CraneDescription
from gateway.parts.crane.model.load_chart import LoadChart, LoadCurve
from gateway.parts.crane.model.parameters import CraneParameters
from gateway.parts.crane.model.points import CRANE_INPUTS

START_NS = 1_800_000_000_000_000_000
SECOND_NS = 1_000_000_000
CHART = LoadChart(
    (LoadCurve(2, (2.0, 20.0, 50.0), (6.0, 6.0, 1.5)), LoadCurve(4, (2.0, 10.0, 50.0), (12.0, 12.0, 1.2))),
)
IDLE: Mapping[str, float] = {
    "load_t": 0.0,
    "rated_t": 6.0,
    "moment_pct": 0.0,
    "radius_m": 20.0,
    "hook_m": 30.0,
    "crane_h_m": 50.0,
    "slew_deg": 90.0,
    "wind_ms": 2.0,
    "tilt_x_deg": 0.1,
    "tilt_y_deg": 0.0,
    "multiple": 2.0,
    "motor": 0.0,
    "work_status": 0.0,
    "driver_no": 7.0,
    "multi_alarm": 0.0,
    "weight_error": 0.0,
    "wind_error": 0.0,
}


def crane(**changes: Any) -> CraneDescription:
    """A crane at x 100, y 200, whose jib reaches 50 m and whose hook touches it at 48 m."""
    described = CraneDescription(
        asset="crane-1",
        number=0,
        chart=CHART,
        jib_m=52.0,
        counter_jib_m=14.0,
        base_x_m=100.0,
        base_y_m=200.0,
        base_z_m=3.0,
        mast_height_m=50.0,
        hook_height_max_m=48.0,
        radius_min_m=2.0,
        radius_max_m=50.0,
    )
    return replace(described, **changes)


def tuned(**parts: Any) -> CraneDescription:
    """The crane with other parameters."""
    return crane(parameters=replace(CraneParameters(), **parts))


class Bench:
    """The crane's model on a bench. `keys`: the points that exist."""

    def __init__(
        self,
        described: CraneDescription | None = None,
        keys: Sequence[str] = tuple(IDLE),
        papers: Papers | None = None,
        start_ns: int = START_NS,
    ) -> None:
        self.described = crane() if described is None else described
        self.now_ns = start_ns
        self.keys = keys
        self.papers = papers
        self.model = self._model()
        self.reading: dict[str, float] = {key: IDLE.get(key, 0.0) for key in keys}
        self.events: list[AssetEvent] = []
        self._observed_ns = np.zeros(len(CRANE_INPUTS), dtype=np.int64)

    def _model(self) -> CraneDerivation:
        points = {key: f"crane-1.{key}" for key in self.keys}
        return CraneDerivation(self.described, points, self.papers)

    def step(self, after_s: float = 0.1, **changes: float) -> dict[str, float]:
        """One poll, `after_s` later; what it makes the model say, by key."""
        self.now_ns += round(after_s * SECOND_NS)
        self.reading.update(changes)
        row = np.array([self.reading.get(key, nan) for key in CRANE_INPUTS])
        self._observed_ns = np.where(np.isnan(row), self._observed_ns, self.now_ns)
        said = self.model.step(row, self._observed_ns, self.now_ns)
        self.events.extend(self.model.take_events())
        assert said is not None
        return {point.quantity: float(each) for point, each in zip(self.model.outputs, said, strict=True)}

    def run(self, seconds: float, every_s: float = 0.1, **changes: float) -> dict[str, float]:
        """Polls for so long; what the last one makes the model say."""
        said: dict[str, float] = {}
        for _ in range(round(seconds / every_s)):
            said = self.step(every_s, **changes)
        return said

    def restart(self, saved: Json | None = None) -> None:
        """The box starts anew with the kept state."""
        state = self.model.saved() if saved is None else saved
        self.model = self._model()
        self.model.restore(state)

    def of_kind(self, kind: str) -> list[AssetEvent]:
        """The events of one kind so far."""
        return [event for event in self.events if event.kind == kind]


def same(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether two rows say exactly the same, NaN included."""
    return one.keys() == other.keys() and all(
        one[key] == other[key] or (isnan(one[key]) and isnan(other[key])) for key in one
    )
