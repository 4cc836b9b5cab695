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
MODEL = "site_heads 1.2"
DAY = PictureLimits(
    sharpness=0.1,
    sharpness_share=0.256,
    contrast_share=0.393,
    bright=60.0,
    noise=9.17,
    flat_gain=0.412,
    dead_share=0.25,
    gone_share=0.25,
    hurt_share=0.16,
)
INFRARED = PictureLimits(
    sharpness=0.1,
    sharpness_share=0.327,
    contrast_share=0.354,
    bright=60.0,
    noise=12.7,
    flat_gain=0.533,
    dead_share=0.25,
    gone_share=0.32,
    hurt_share=0.16,
)
