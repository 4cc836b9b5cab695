"""Where a crane's hook is, as the crane's model on the box has it: what a camera needs to look for people under it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HookPose:
    """East, north and level of one hook in metres of the site; NaN where it is not known. `loaded` is 1, 0 or NaN.
    `at_mono_ns` is when the oldest of it was heard, on the box's monotonic clock."""

    crane: str
    x_m: float
    y_m: float
    z_m: float
    loaded: float
    at_mono_ns: int
