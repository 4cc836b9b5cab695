"""What happens before the camera in one round: all is well, a bare head, a missing rail, somebody at the edge.

    0      8               22   26                       70      90 s
    | all  |= helmet in    |    |                         | all   |
    | well |  the hand ====|    |  one goes to the gap    | well  |
               14 |==== a panel of the rail is gone ======|
                            40 |== at the edge ==| 58

In: the seconds since the story began. Out: a `SceneState`. Pure; the same seed tells the same rounds, and no two rounds
are alike in where people stand, so that nobody takes the stream for a recording that is played again.
"""

import math
import random
from dataclasses import dataclass

from drivers.sim.camera_figure import Pose, Worker
from drivers.sim.camera_scene import SceneState, Standing

ROUND_S = 90.0
BARE_S = (8.0, 22.0)
GONE_S = (14.0, 70.0)
AT_EDGE_S = (40.0, 58.0)
GONE_PANEL = 3
_NEAR = Worker()
_FAR = Worker(helmet=(60.0, 60.0, 220.0), vest=(60.0, 220.0, 210.0), trousers=(70.0, 62.0, 60.0))


@dataclass(frozen=True, slots=True)
class CameraChapter:
    """A part of a round: what a spectator is to see between two times (seconds since the round began)."""

    name: str
    begins_s: float
    ends_s: float
    title_zh: str
    title_en: str


CAMERA_CHAPTERS = (
    CameraChapter("bare-head", *BARE_S, "摄像机：有人摘下安全帽", "Camera: somebody takes his helmet off"),
    CameraChapter("missing-rail", *GONE_S, "摄像机：一段临边栏杆缺失", "Camera: a panel of the rail is gone"),
    CameraChapter("at-the-edge", *AT_EDGE_S, "摄像机：有人走到缺口旁", "Camera: somebody goes to the gap"),
)


@dataclass(frozen=True, slots=True)
class CameraStory:
    """`seed` decides where people stand and sway. `calm` leaves out everything that is wrong."""

    seed: int = 1
    calm: bool = False

    def state(self, story_s: float) -> SceneState:
        """The scene as it is `story_s` after its beginning."""
        number, at_s = divmod(story_s, ROUND_S)
        source = random.Random(f"{self.seed}:{number:.0f}:camera")
        place = [source.uniform(-1, 1) for _ in range(8)]
        gone = frozenset({GONE_PANEL} if _within(at_s, GONE_S) and not self.calm else ())
        return SceneState((self._far(at_s, place), self._near(at_s, place)), gone)

    def _near(self, at_s: float, place: list[float]) -> Standing:
        """He walks a little to and fro, and carries his helmet for a while."""
        bare = _within(at_s, BARE_S) and not self.calm
        x_px = 290 + 30 * place[0] + 60 * math.sin(at_s / (9 + place[1])) + 14 * math.sin(at_s * (0.9 + 0.1 * place[2]))
        y_px = 522 + 8 * math.sin(at_s / 5 + place[3])
        turn = math.sin(at_s / 4 + 2 * place[1])
        pose = Pose(round(math.sin(at_s * 2.4)), not bare, bare, round(turn))
        return Standing(x_px, y_px, 330.0, _NEAR, pose)

    def _far(self, at_s: float, place: list[float]) -> Standing:
        """He works on the right, and goes to the gap when it is there."""
        x_px = 800 + 40 * place[4] + 26 * math.sin(at_s / (6 + place[5]))
        y_px, tall_px = 452 + 10 * place[6], 236.0
        if not self.calm:
            share = _smooth(at_s, AT_EDGE_S, 5.0)
            x_px += (560 + 20 * place[7] + 16 * math.sin(at_s / 2) - x_px) * share
            y_px += (298 - y_px) * share
            tall_px += (150 - tall_px) * share
        pose = Pose(
            round(math.sin(at_s * 2.1 + 1)), True, False, round(math.sin(at_s / 3))
        )  # a few poses, each drawn once
        return Standing(x_px, y_px, tall_px, _FAR, pose)


def _within(at_s: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= at_s < bounds[1]


def _smooth(at_s: float, bounds: tuple[float, float], ramp_s: float) -> float:
    """0 outside, 1 inside, and half a wave of `ramp_s` before and after."""
    if at_s < bounds[0] - ramp_s or at_s > bounds[1] + ramp_s:
        return 0.0
    away = max(bounds[0] - at_s, at_s - bounds[1], 0.0)
    return 0.5 + 0.5 * math.cos(math.pi * away / ramp_s)
