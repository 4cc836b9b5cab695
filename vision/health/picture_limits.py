"""From where on a picture is too bad for the detector: the limits of `camera_health`, by day and under infrared light.

Found by `python -m bench.vision_blind DATA --write`, which makes pictures worse until the detector fails: run it anew
for every model that is shipped. The off limit of each is a seventh part nearer to the good side.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """Named as the figures of `PictureHealth`. The first four hold from below, the others from above. `sharpness_share`
    is of the camera's own best, `contrast_share` of the level that nine tenths of the picture are under. What they
    measure: `vision.health.picture_measures` and `vision.health.picture_usual`."""

    sharpness: float
    sharpness_share: float
    contrast_share: float
    bright: float
    noise: float
    flat_gain: float
    dead_share: float
    gone_share: float
    hurt_share: float


FROM_BELOW = frozenset({"sharpness", "sharpness_share", "contrast_share", "bright"})

# The table, written by the bench.
MODEL = "site_heads 1.3"
DAY = PictureLimits(
    sharpness=0.1,
    sharpness_share=0.247,
    contrast_share=0.183,
    bright=32.0,
    noise=11.4,
    flat_gain=0.418,
    dead_share=0.25,
    gone_share=0.283,
    hurt_share=0.186,
)
INFRARED = PictureLimits(
    sharpness=0.1,
    sharpness_share=0.254,
    contrast_share=0.32,
    bright=32.5,
    noise=12.5,
    flat_gain=0.451,
    dead_share=0.25,
    gone_share=0.334,
    hurt_share=0.16,
)
