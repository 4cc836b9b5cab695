"""What crosses from the eye process to the gateway: plain, one after each judged frame of a camera."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.model.picture import FiredScene, Picture
from vision.helmets.people import People


@dataclass(frozen=True, slots=True)
class Observation:
    """One judged frame, or the fact that there is none. `values` maps the keys of the camera's device table to numbers;
    NaN cannot be judged. `said` is canonical JSON (at most 4 KiB) that goes with the readings into the evidence:
    finding texts, versions, digests of the fired frame and strip. `still` is the newest picture for the screens,
    about 1 a second, faces blurred already. Fired scenes are not blurred: who may see them is decided by the
    gateway. `edge_state` is what the edge check wants kept for a restart (`vision.edges.keeping`), about once a minute
    and when a gap was confirmed or cleared; `edge_preset` names the preset that it is of. `people`: who was in sight
    and what became of each; None where nothing was judged."""

    camera: str
    captured_at_ns: int
    received_at_ns: int
    values: Mapping[str, float]
    said: bytes = b""
    still: Picture | None = None
    fired: tuple[FiredScene, ...] = ()
    counts: Mapping[str, float] = field(default_factory=dict)
    edge_state: bytes = b""
    edge_preset: str = ""
    people: People | None = None
