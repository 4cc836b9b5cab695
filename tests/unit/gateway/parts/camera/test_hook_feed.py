"""Where hooks are, from the window to the eyes: what is stale, bad or not there is not known."""

from collections.abc import Sequence
from math import isnan

import numpy as np

from gateway.model.hook import HookPose
from gateway.model.quantity import Point, PointTable
from gateway.model.reading import BAD, GOOD, Readings
from gateway.parts.camera.hook_feed import HookFeed, hooks_of
from gateway.rules.window import Window
from kit.clock import SimulatedClock

SECOND_NS = 1_000_000_000
KEYS = ("hook_x_m", "hook_y_m", "hook_z_m", "loaded")
POINTS = PointTable(tuple(Point(f"crane-1.{key}", "crane-1", key, "m", "d", key, key, stale_after_s=5) for key in KEYS))


def window(quality: Sequence[int] = (0, 0, 0, 0), at_ns: int = SECOND_NS) -> Window:
    made = Window(POINTS, 0)
    codes = np.array(quality, np.uint8)
    value = np.where(codes == GOOD, np.array([10.0, 20.0, 30.0, 1.0]), np.nan)
    made.remember(Readings("d", np.arange(4, dtype=np.int32), value, codes, at_ns, at_ns), at_ns)
    return made


def test_a_hook_is_as_the_window_has_it_and_as_old() -> None:
    assert hooks_of(window(), ["crane-1"], 2 * SECOND_NS) == (HookPose("crane-1", 10.0, 20.0, 30.0, 1.0, SECOND_NS),)


def test_what_is_stale_bad_or_not_there_is_not_known() -> None:
    (old,) = hooks_of(window(), ["crane-1"], 7 * SECOND_NS)
    (bad,) = hooks_of(window([0, int(BAD), 0, 0]), ["crane-1"], SECOND_NS)
    (gone,) = hooks_of(window(), ["crane-9"], SECOND_NS)
    assert all(isnan(part) for hook in (old, gone) for part in (hook.x_m, hook.y_m, hook.z_m, hook.loaded))
    assert (bad.x_m, isnan(bad.y_m), bad.at_mono_ns) == (10.0, True, 0)


class AskingEyes:
    """Cameras that look below these cranes; keeps what it is told."""

    def __init__(self, *cranes: str) -> None:
        self.cranes = cranes
        self.told: list[tuple[HookPose, ...]] = []

    def hook_cranes(self) -> Sequence[str]:
        return self.cranes

    def use_hooks(self, hooks: Sequence[HookPose]) -> None:
        self.told.append(tuple(hooks))


def test_only_eyes_that_ask_are_told() -> None:
    idle, asking = AskingEyes(), AskingEyes("crane-1")
    for eyes in (idle, asking, None):
        HookFeed(lambda eyes=eyes: eyes, window, SimulatedClock()).tell()  # type: ignore[misc, arg-type, return-value]
    assert (idle.told, [hook.crane for hook in asking.told[0]]) == ([], ["crane-1"])
