"""How near the proposal comes when the floor has moved up: rendered storeys, `python -m bench.floor_rises [COUNT]`.

Each scene is drawn on a picture at one hour, then the floor rises by a storey and is seen at another hour in other
light; in every second scene the old floor keeps its rails. Printed: how often an edge was found, and how far the
proposed line lies from where it is, in parts of the picture's width.
"""

import sys

import cv2
import numpy as np

from bench.edge_scenes import HEIGHT, WIDTH, Scene
from gateway.model.floor_rise import Move, raised
from vision.edges.floor_shift import floor_rises


class Storey(Scene):
    """A camera high above the slab edge, as on a mast, with room for another storey in the picture."""

    inside = False

    def _camera(self, rng: np.random.Generator) -> None:
        super()._camera(rng)
        self.at = self.at + np.array([0.0, float(rng.uniform(-6, -2)), float(rng.uniform(4, 12))])
        ahead = np.array([self.length_m / 2, 0.0, 1.5]) - self.at
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        self.turn = np.stack([right, np.cross(ahead, right), ahead])
        self.focal *= 0.75

    def at_hour(self, hour: float) -> bytes:
        """A picture."""
        image = self._expose(hour * 3600.0, self._layers(()))
        return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])

    def rise(self, metres: float, old_stays: bool) -> np.ndarray:
        """The floor goes up, which is the camera going down; where the drawn line is then, in fractions (2, 2)."""
        if old_stays:
            self.backdrop = self._layers(()).albedo.copy()
        self.at = self.at - np.array([0.0, 0.0, metres])
        self._cache = None
        end = (self.length_m // self.panel_m) * self.panel_m
        return self.project(np.array([[0.0, 0, 0], [end, 0, 0]])) / [WIDTH, HEIGHT]


def main(count: int) -> int:
    """Print one line a scene and the sum."""
    errors, found = [], []
    for seed in range(count):
        dice, scene = np.random.default_rng(seed + 1000), Storey(seed)
        metres, before = float(dice.uniform(2.7, 4.5)), scene.at_hour(float(dice.uniform(8, 16)))
        true = scene.rise(metres, seed % 2 == 0)
        (rise, *_) = floor_rises(scene.survey, before, scene.at_hour(float(dice.uniform(8, 16))))
        line = np.array(raised(scene.survey.edges[0], Move(rise.rise_m)).line)
        off = float(np.hypot(*((line - true) * [1, HEIGHT / WIDTH]).T).max())
        found.append(rise.found)
        errors.append(off)
        said = f"style={scene.style} true_m={metres:.2f} proposed_m={rise.rise_m:.2f}"
        print(f"seed={seed} {said} agreement={rise.agreement:.2f} found={rise.found} off={off:.3f}")
    off, told = np.array(errors), np.array(found)
    near, close = int((off <= 0.01).sum()), int((off <= 0.02).sum())
    print(f"scenes={count} off_by_1_percent_at_most={near} by_2={close} median={np.median(off):.4f}")
    print(f"found={told.sum()} of_them_off_by_2_percent_at_most={int((off[told] <= 0.02).sum())}")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 24))
