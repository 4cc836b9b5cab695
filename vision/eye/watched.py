"""What the gateway tells the eye and what the eye answers, besides `Observation`: plain messages.

Knows no OpenCV, no model and no process: both sides import it.
"""

from dataclasses import dataclass, field

from gateway.model.camera_scores import CameraScores
from gateway.model.hook import HookPose
from gateway.model.picture import Picture
from gateway.model.survey import Survey
from vision.eye.settings import CameraDeviceSettings


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn for one preset of a camera that turns. `reference`, `edge_state` and `night` as in `Watched`."""

    survey: Survey
    reference: bytes
    night: bytes = b""
    edge_state: bytes = b""


@dataclass(frozen=True, slots=True)
class Watched:
    """One camera to judge. `slot` names its frame slot; `reference` is the JPEG that the survey was drawn on.
    `edge_state` is what the edge check gave to be kept last, `night` the JPEG of the reference by night; empty when
    there is none. A camera that turns has `presets`, and is watched by the empty survey where it looks at none.
    `scores` are the camera's own operating scores, used where they were made for the model that looks."""

    camera: str
    slot: str
    settings: CameraDeviceSettings
    survey: Survey
    reference: bytes = b""
    edge_state: bytes = b""
    night: bytes = b""
    presets: tuple[Drawing, ...] = ()
    scores: CameraScores | None = None


@dataclass(frozen=True, slots=True)
class Forget:
    """Judge this camera no more."""

    camera: str


@dataclass(frozen=True, slots=True)
class Redraw:
    """Judge by another survey from now on. Of a camera that turns all presets are given again, with what the edges of
    those that stay go on with."""

    survey: Survey
    reference: bytes
    night: bytes = b""
    presets: tuple[Drawing, ...] = ()


@dataclass(frozen=True, slots=True)
class AskReference:
    """A whole frame at full size, faces blurred. Answered with `ReferenceFrame`."""

    camera: str
    number: int


@dataclass(frozen=True, slots=True)
class Hooks:
    """Where the hooks are under which cameras look for people."""

    hooks: tuple[HookPose, ...]


Order = Watched | Forget | Redraw | AskReference | Hooks


@dataclass(frozen=True, slots=True)
class ReferenceFrame:
    """The answer to `AskReference`; None without a frame."""

    number: int
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class Alive:
    """The eye turns: said once a second. `models` maps what could not be loaded to the reason; `faults` counts frames
    of a camera whose judging failed, `last_fault` is the newest reason. `lacks`: how the eye is
    not shut in (`vision.process.confinement.Lack`, with commas)."""

    cameras: int
    turns: int
    models: dict[str, str] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    last_fault: str = ""
    lacks: str = ""
