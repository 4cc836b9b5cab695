"""The kinds of things that a site can watch, in the order in which their models are built: each reads only what stands
before it, and the weather comes after the work that it stops. A new kind is one line here."""

from collections.abc import Sequence

from gateway.parts.camera.kind import CAMERA_POST
from gateway.parts.crane.kind import TOWER_CRANE
from gateway.parts.pit.kind import DEEP_PIT
from gateway.parts.weather.kind import WEATHER_MAST
from gateway.settings.kind import OTHER, AssetKind

KINDS: Sequence[AssetKind] = (TOWER_CRANE, DEEP_PIT, WEATHER_MAST, CAMERA_POST, OTHER)
