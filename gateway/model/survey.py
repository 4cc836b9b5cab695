"""What a person drew into a camera's picture once: zones, edges with their rail heights, the reference view.

Coordinates are fractions of the frame (0..1, x to the right, y down), so that a sub-stream of another size fits.

        top mark  o                    o  top mark          An edge is a polyline along the floor edge, pit edge or
                  |  rail height 1.2 m |                    opening; two marks say where the top of the rail would be
        foot      o====================o  foot              above two of its points, and with that the scale there.

`vision.survey.parsing.read_survey` reads one version from plain data, or raises `SurveyError` with every fault. A
new drawing is a new version; an old version is never changed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

Spot = tuple[float, float]
"""x and y as fractions of the frame."""


class SurveyError(ValueError):
    """A survey that cannot be used. `faults` name what, where and what was expected."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class ZoneUse(StrEnum):
    """WATCHED: helmets are asked for. EXEMPT: an office, a cabin, a street behind the fence. DANGER: nobody is to be in
    there. GROUND: level ground whose corners have known site coordinates. The last two say nothing of helmets."""

    WATCHED = "watched"
    EXEMPT = "exempt"
    DANGER = "danger"
    GROUND = "ground"


class EdgeKind(StrEnum):
    """What the drawn line is the edge of. An OPENING is a closed outline with a cover instead of a rail."""

    FLOOR_EDGE = "floor_edge"
    PIT_EDGE = "pit_edge"
    OPENING = "opening"


class Protection(StrEnum):
    """What stands along an edge. UNKNOWN: nobody said it, as in every survey before there was this word. TAPE warns and
    holds nobody: an edge with nothing but tape is not protected, whatever is seen there."""

    UNKNOWN = "unknown"
    STEEL_RAIL = "steel_rail"
    MESH_PANEL = "mesh_panel"
    SAFETY_NET = "safety_net"
    CABLE = "cable"
    TAPE = "tape"
    COVER = "cover"
    PIT_FENCE = "pit_fence"
    STAIR_EDGE = "stair_edge"

    @property
    def protects(self) -> bool:
        """False where what stands there is no protection by definition."""
        return self is not Protection.TAPE


_OF_LINES: Final = tuple(each for each in Protection if each is not Protection.COVER)
PROTECTIONS_OF: Final[Mapping[EdgeKind, tuple[Protection, ...]]] = {
    EdgeKind.FLOOR_EDGE: _OF_LINES,
    EdgeKind.PIT_EDGE: _OF_LINES,
    EdgeKind.OPENING: (Protection.UNKNOWN, Protection.COVER, Protection.TAPE),
}
"""What may stand along which edge. An opening that is fenced instead of covered is drawn as a floor edge around it."""


@dataclass(frozen=True, slots=True)
class Zone:
    """`outline` has at least three spots. Where no watched zone is drawn the whole picture is watched. A GROUND has
    four spots at least, and `site_m` says east and north of each in metres; every other zone has none."""

    zone_id: str
    title: str
    use: ZoneUse
    outline: tuple[Spot, ...]
    site_m: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class RailMark:
    """`foot` lies on the edge, `top` where the top of a rail of `height_m` is or would be."""

    foot: Spot
    top: Spot
    height_m: float


@dataclass(frozen=True, slots=True)
class Edge:
    """`line` has at least two spots in order; `length_m` is its true length. `marks` are two for a rail, none for an
    opening. `protection` is what stood there when it was drawn."""

    edge_id: str
    title: str
    kind: EdgeKind
    line: tuple[Spot, ...]
    length_m: float
    marks: tuple[RailMark, ...] = ()
    protection: Protection = Protection.UNKNOWN


@dataclass(frozen=True, slots=True)
class Survey:
    """One version of what was drawn for a camera. `reference_sha256` is the digest of the JPEG it was drawn on; the
    file lies beside the survey. `night_sha256` is that of a picture of the same view by night, in which a person saw
    the protection in place; empty where there is none. `version` 0 is the empty survey that every camera begins with.
    `preset` names where a camera that turns looks when it counts; empty for the view of a camera that stands.
    """

    camera: str
    version: int
    made_at_ns: int
    made_by: str
    reference_sha256: str
    zones: tuple[Zone, ...] = ()
    edges: tuple[Edge, ...] = ()
    night_sha256: str = ""
    preset: str = ""

    @property
    def given_up(self) -> bool:
        """Nobody looks for this preset any more. Its versions stay."""
        return self.version > 0 and not self.reference_sha256

    def document(self) -> dict[str, Any]:
        """As plain data, for JSON; `read_survey` reads it back. What was not said is left out, so that a version is
        what it was before there were words for it, byte for byte: versions are sealed."""
        document = asdict(self)
        for name in ("night_sha256", "preset"):
            if not document[name]:
                del document[name]
        for edge in document["edges"]:
            if edge["protection"] is Protection.UNKNOWN:
                del edge["protection"]
        for zone in document["zones"]:
            if not zone["site_m"]:
                del zone["site_m"]
        return document


def empty_survey(camera: str) -> Survey:
    """A survey of this camera in which nothing is drawn yet."""
    return Survey(camera, 0, 0, "", "")
