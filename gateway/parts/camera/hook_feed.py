"""Where the hooks are, for the cameras that look for people under them: read from the window twice a second.

In: the window's derived points of the cranes (`hook_x_m`, `hook_y_m`, `hook_z_m`, `loaded`). Out: `HookPose`s to the
eyes. What is stale or not GOOD is NaN; without a position the camera's check is unknown. Judges nothing.
"""

from collections.abc import Callable, Sequence

import numpy as np

from gateway.model.hook import HookPose
from gateway.model.reading import GOOD
from gateway.ports import Clock, Eyes
from gateway.rules.window import Window

EVERY_S = 0.5
_KEYS = ("hook_x_m", "hook_y_m", "hook_z_m", "loaded")
_POSITION = 2
"""So many of them make a position; only their age counts."""


class HookFeed:
    """Tells the eyes while they ask for any crane."""

    def __init__(self, eyes: Callable[[], Eyes | None], window: Callable[[], Window], clock: Clock) -> None:
        self._eyes = eyes
        self._window = window
        self._clock = clock

    async def run(self) -> None:
        """Tell the cameras again and again where hooks are, as long as it is let run."""
        while True:
            self.tell()
            await self._clock.sleep(EVERY_S)

    def tell(self) -> None:
        """Tell the cameras once where the hooks are."""
        eyes = self._eyes()
        cranes = eyes.hook_cranes() if eyes is not None else ()
        if eyes is not None and cranes:
            eyes.use_hooks(hooks_of(self._window(), cranes, self._clock.monotonic_ns()))


def hooks_of(window: Window, cranes: Sequence[str], mono_ns: int) -> tuple[HookPose, ...]:
    """One a crane; all NaN for one that has no such points."""
    return tuple(_hook_of(window, crane, mono_ns) for crane in cranes)


def _hook_of(window: Window, crane: str, mono_ns: int) -> HookPose:
    index = [window.points.index_of.get(f"{crane}.{key}", -1) for key in _KEYS]
    values, heard_ns = [], []
    for i in index:
        usable = i >= 0 and window.quality[i] == GOOD and mono_ns - window.good_mono_ns[i] <= _stale_ns(window, i)
        values.append(float(window.value[i]) if usable else np.nan)
        heard_ns.append(int(window.good_mono_ns[i]) if usable else 0)
    return HookPose(crane, values[0], values[1], values[2], values[3], min(heard_ns[:_POSITION]))


def _stale_ns(window: Window, i: int) -> int:
    return int(window.points.stale_after_ns[i])
