"""What the box takes from `vision`: the eyes, and what reads, compares, blurs and shrinks pictures.

In: the clock, the data folder. Out: functions and the eyes for parts that decode no picture themselves. OpenCV is
imported when the first picture is asked for: a box without cameras loads none.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.media.kept import MediaItem
from gateway.media.rendition import Renditions, SmallPicture
from gateway.model.floor_rise import Rise
from gateway.model.night_picture import NightLook
from gateway.model.picture import Picture
from gateway.model.survey import Survey
from gateway.model.verdict import Truth
from gateway.parts.camera.part import Sight
from gateway.ports import Clock
from gateway.settings import Settings
from vision.eye_hub import EyeHub
from vision.sight.edge_states import EdgeStates
from vision.sight.keeping import SightBooks
from vision.site_eyes import SiteEyes
from vision.survey.parsing import read_survey

SMALL_WIDTH_PX = 160


def site_eyes(clock: Clock, folder: Path, settings: Callable[[], Settings]) -> SiteEyes:
    """The eyes of a site; they go on where they were."""
    hub, books = EyeHub(clock, edge_states=EdgeStates(folder)), SightBooks(EdgeStates(folder, "sight"))
    return SiteEyes(hub, lambda: {a.id: (a.title_zh, a.title_en) for a in settings().assets}, books)


def sight_of(eyes: SiteEyes) -> Sight:
    """For the part of the cameras."""
    return Sight(eyes.hub.run, read_survey, _night_look, _has_moved, _floor_rises, _small_still)


def _blurred(body: bytes, item: MediaItem) -> bytes:
    from vision.privacy.still import blurred_still  # noqa: PLC0415

    return blurred_still(body, item.boxes)


def _night_look(survey: Survey, by_day: bytes, by_night: bytes) -> NightLook:
    from vision.edges.survey_night import night_look  # noqa: PLC0415

    return night_look(survey, by_day, by_night)


def _has_moved(then: bytes, now: bytes) -> Truth:
    from vision.health.view_comparison import has_moved  # noqa: PLC0415

    return has_moved(then, now)


def _floor_rises(survey: Survey, before: bytes, now: bytes) -> Sequence[Rise]:
    from vision.edges.floor_shift import floor_rises  # noqa: PLC0415

    return floor_rises(survey, before, now)


def _thumbnail(body: bytes, item: MediaItem) -> SmallPicture:
    from vision.privacy.still import blurred_thumbnail  # noqa: PLC0415

    return SmallPicture(*blurred_thumbnail(body, item.boxes))


def _small_still(still: Picture) -> SmallPicture:
    """Of a picture whose faces are blurred already."""
    from vision.privacy.still import blurred_thumbnail  # noqa: PLC0415

    return SmallPicture(*blurred_thumbnail(still.body, (), SMALL_WIDTH_PX))


RENDITIONS = Renditions(_blurred, _thumbnail)
