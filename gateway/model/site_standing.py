"""Permits and weather for the asset models: what the site office has on file at a given time.

None always means: not known; it is never to be shown as in order. Pure: a protocol, and the answers of a site that
keeps none of it.
"""

from collections.abc import Collection
from typing import Protocol

from gateway.model.weather import WarningKind


class SiteStanding(Protocol):
    """Permits and warnings as they stand. Cheap: asked every few seconds. Times UTC ns."""

    def climbing_permitted(self, asset: str, now_ns: int) -> bool | None:
        """Whether a permit for climbing, erection or dismantling covers the crane at this moment."""
        ...

    def warning_level(self, kinds: Collection[WarningKind], now_ns: int) -> int | None:
        """The gravest warning of these kinds in force (1 blue ... 4 red), 0 without one."""
        ...

    def unacknowledged_level(self, now_ns: int) -> int | None:
        """The gravest warning that is announced or in force and that nobody at the site has acknowledged, 0 without."""
        ...

    def checks_open(self, now_ns: int) -> int | None:
        """How many things are still to be checked after the last storm, 0 without."""
        ...

    def checked(self, item: str, now_ns: int) -> bool | None:
        """Whether this thing was found in order after the last storm."""
        ...


class NothingKnown:
    """The standing of a box that keeps neither permits nor warnings, and of a replay."""

    def climbing_permitted(self, asset: str, now_ns: int) -> bool | None:  # noqa: ARG002 - the protocol's shape
        """None, which says that nobody knows: never a no."""
        return None

    def warning_level(self, kinds: Collection[WarningKind], now_ns: int) -> int | None:  # noqa: ARG002
        """None, which says that nobody knows: never a no."""
        return None

    def unacknowledged_level(self, now_ns: int) -> int | None:  # noqa: ARG002
        """None, which says that nobody knows: never a no."""
        return None

    def checks_open(self, now_ns: int) -> int | None:  # noqa: ARG002
        """None, which says that nobody knows: never a no."""
        return None

    def checked(self, item: str, now_ns: int) -> bool | None:  # noqa: ARG002
        """None, which says that nobody knows: never a no."""
        return None


NOTHING_KNOWN = NothingKnown()
"""Where nobody answers."""
