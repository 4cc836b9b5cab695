"""A yard of cranes that say where they are ten times a second, and what the group model makes of it."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gateway.parts.crane.group.group import CraneGroupDerivation
from gateway.parts.crane.group.members import INPUT_KEYS, CraneGroupParameters, GroupMember
from gateway.parts.crane.group.points import OUTPUTS
from gateway.parts.crane.model.geometry import CraneGeometry

START_NS = 1_760_000_000_000_000_000
Pose = Mapping[str, float]
STANDING: Pose = {
    "slew_deg": 0.0,
    "radius_m": 20.0,
    "hook_m": 30.0,
    "crane_h_m": 40.0,
    "load_t": 0.0,
    "motor": 1.0,
    "multi_alarm": 0.0,
}


def crane(number: int, x_m: float, y_m: float = 0.0, **shape: float | bool) -> CraneGeometry:
    """A flat-top crane: mast 40 m, jib 50 m, counter-jib 12 m, unless said otherwise."""
    usual: dict[str, float | bool] = {
        "base_z_m": 0.0,
        "mast_height_m": 40.0,
        "jib_length_m": 50.0,
        "counter_jib_m": 12.0,
    }
    return CraneGeometry(number, x_m, y_m, **(usual | shape))  # type: ignore[arg-type]


class Yard:
    """Steps one group at 10 Hz. `says(t_s)` gives each crane's pose; None or a missing key: it is not known."""

    def __init__(
        self,
        cranes: Sequence[CraneGeometry],
        parameters: CraneGroupParameters | None = None,
        keys: Sequence[str] = INPUT_KEYS,
        start_ns: int = START_NS,
    ) -> None:
        self.members = [GroupMember(f"crane-{shape.number}", shape, tuple(keys)) for shape in cranes]
        self.group = CraneGroupDerivation("north", self.members, parameters or CraneGroupParameters())
        self.now_ns = start_ns
        self._start_ns = start_ns

    def run(self, seconds: float, says: Callable[[float], Sequence[Pose | None]]) -> list[dict[str, float]]:
        """Go on for so long; what the group says at the end, a mapping a crane."""
        said = None
        for _ in range(max(1, round(seconds * 10))):
            poses = says((self.now_ns - self._start_ns) / 1e9)
            said = self.step(poses)
            self.now_ns += 100_000_000
        assert said is not None
        return said

    def step(self, poses: Sequence[Pose | None]) -> list[dict[str, float]]:
        """One step now."""
        rows = [
            [(pose or {}).get(key, np.nan) for key in member.keys]
            for member, pose in zip(self.members, poses, strict=True)
        ]
        value = np.array(rows, dtype=np.float64).ravel()
        said = self.group.step(value, np.full(value.size, self.now_ns, dtype=np.int64), self.now_ns)
        assert said is not None
        table = said.reshape(len(self.members), len(OUTPUTS))
        return [{key.key: float(x) for key, x in zip(OUTPUTS, row, strict=True)} for row in table]


def pose(**values: float) -> Pose:
    """Standing, but for what is said."""
    return {**STANDING, **values}
