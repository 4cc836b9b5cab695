"""In-place inclinometer chain (固定式测斜仪): tilts of its nodes summed to a profile of horizontal displacement.

    surface  -+-  top: surveyed, or the sum of all below
              |/
              |     node i spans L_i and leans by theta_i:   d_i = d_(i-1) + L_i sin(theta_i)
              |  |
    deepest  -+--    fixed at 0, in ground that does not move

In: tilts of the nodes, deepest first, degrees. Out: displacement at the top of each node, mm. A dead node makes
everything above it unknown (seen from a surveyed top: everything below), and nothing else: what does not rest on it is
still measured. Sum and fixed end: certainty M-H. Knows nothing of baselines: tilts at installation are part of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.parts.pit.model.instrument import Measured, unmeasured


@dataclass(frozen=True, slots=True)
class InclinometerNode:
    """One segment: the point that says its tilt (degrees from vertical), its length, and how deep its top is."""

    tilt_point: str
    length_m: float
    top_depth_m: float


@dataclass(frozen=True, slots=True)
class InclinometerChain:
    """All nodes of a casing, deepest first. `surveyed_top_point` (mm) makes the top the reference, not the deep end."""

    nodes: tuple[InclinometerNode, ...]
    surveyed_top_point: str = ""

    def profile_mm(self, tilt_deg: NDArray[np.float64], top_mm: float = float("nan")) -> NDArray[np.float64]:
        """Displacement (n,) at the top of each node, deepest first, from tilts (n,). NaN where it is not known."""
        step_mm = np.array([node.length_m for node in self.nodes]) * 1000.0 * np.sin(np.radians(tilt_deg))
        if not self.surveyed_top_point:
            return np.cumsum(step_mm)
        above_mm = np.append(np.cumsum(step_mm[:0:-1])[::-1], 0.0)
        return top_mm - above_mm


@dataclass(frozen=True, slots=True)
class InclinometerDepth:
    """One depth of a chain as a monitoring point: the top of node `position`, counted from the deepest, which is 0."""

    chain: InclinometerChain
    position: int

    @property
    def depth_m(self) -> float:
        """How deep below ground it measures."""
        return self.chain.nodes[self.position].top_depth_m

    @property
    def inputs(self) -> tuple[str, ...]:
        """Tilts of the nodes between here and the reference, and the surveyed top where that is the reference."""
        if self.chain.surveyed_top_point:
            return (*(node.tilt_point for node in self._counted), self.chain.surveyed_top_point)
        return tuple(node.tilt_point for node in self._counted)

    def measure(self, value: NDArray[np.float64]) -> Measured:
        """Displacement in mm; one dead node between here and the reference makes it unknown."""
        counted = self._counted
        length_mm = np.array([node.length_m for node in counted]) * 1000.0
        lean_mm = float(np.dot(length_mm, np.sin(np.radians(value[: len(counted)]))))
        here_mm = float(value[-1]) - lean_mm if self.chain.surveyed_top_point else lean_mm
        return Measured(here_mm, gauges=len(counted)) if np.isfinite(here_mm) else unmeasured()

    @property
    def _counted(self) -> tuple[InclinometerNode, ...]:
        if self.chain.surveyed_top_point:
            return self.chain.nodes[self.position + 1 :]
        return self.chain.nodes[: self.position + 1]
