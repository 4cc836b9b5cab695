"""The ladder of one project on one day, as a pure function of what is known.

    listed -> box -> heartbeat -> cameras online -> picture usable -> dangerous works covered -> valid data

Each rung has one of three footings. UNKNOWN is neither: above a box that is silent, or that never came, nothing is
known, and nothing is shown as zero or as in order. A project has reached the last rung below which every rung is YES.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from regulator.base.kinds import Word

USABLE, OFFLINE, NOT_KNOWN, UNJUDGED = "usable", "offline", "unknown", "unjudged"


class Rung(Word):
    """From the bottom up."""

    NOWHERE = "nowhere", "未在册", "not listed"
    LISTED = "listed", "在册", "listed"
    BOX = "box", "已装监控主机", "box enrolled"
    HEARTBEAT = "heartbeat", "心跳", "heartbeat"
    CAMERAS = "cameras", "摄像机在线", "cameras online"
    PICTURE = "picture", "画面合格", "picture usable"
    WORKS = "works", "危大工程部位覆盖", "dangerous works covered"
    DATA = "data", "当日有有效数据", "valid data today"


class Footing(Enum):
    """Whether a rung holds."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """`state`: usable, offline, its ailments with `+` between them, or unknown. `unknown` also when it fell silent.
    `judges`: of its usable minutes of the day half and more were judged
    (`regulator.parts.registry.arrivals`)."""

    code: str
    state: str
    judges: bool = True


@dataclass(frozen=True, slots=True)
class WorkFacts:
    """A dangerous work that runs on the day, and the cameras (by code) that are to watch it."""

    code: str
    name: str
    watched_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """A measuring device: whether the box has an asset of it, and minutes with a good value on the day."""

    code: str
    connected: bool
    good_minutes: int


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What is known of a project for a day. `alive` None: nobody can say (the desk was down at the day's end).
    `camera_minutes`: those of all cameras that were judged."""

    listed: bool
    boxes: int
    alive: bool | None
    silent_since: str
    cameras: tuple[CameraFacts, ...] = ()
    works: tuple[WorkFacts, ...] = ()
    assets: tuple[AssetFacts, ...] = ()
    camera_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One rung with its footing and why; the words are empty where it holds without remark."""

    rung: Rung
    footing: Footing
    zh: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """All rungs, bottom up."""

    steps: tuple[Step, ...]

    @property
    def reached(self) -> Rung:
        """The highest rung with no gap below."""
        reached = Rung.NOWHERE
        for step in self.steps:
            if step.footing is not Footing.YES:
                break
            reached = step.rung
        return reached

    @property
    def stopped_at(self) -> Step | None:
        """The first rung that does not hold; None for a project that reached the top."""
        return next((step for step in self.steps if step.footing is not Footing.YES), None)


def climb(facts: ProjectFacts) -> Ladder:
    """The whole ladder."""
    listed = _yes(Rung.LISTED) if facts.listed else _no(Rung.LISTED, "不在名单内", "not in the set")
    box = _yes(Rung.BOX) if facts.boxes else _no(Rung.BOX, "没有已登记的监控主机", "no box has enrolled")
    beat = _heartbeat(facts)
    if beat.footing is not Footing.YES:
        return Ladder((listed, box, beat, *_ABOVE_SILENCE))
    return Ladder((listed, box, beat, _cameras(facts.cameras), _picture(facts.cameras), _works(facts), _data(facts)))


def _heartbeat(facts: ProjectFacts) -> Step:
    if not facts.boxes:
        return Step(Rung.HEARTBEAT, Footing.UNKNOWN, "没有监控主机", "there is no box")
    if facts.alive is None:
        return Step(Rung.HEARTBEAT, Footing.UNKNOWN, "日终时审查台未运行", "the desk did not run at the day's end")
    if facts.alive:
        return _yes(Rung.HEARTBEAT)
    since = facts.silent_since
    return _no(Rung.HEARTBEAT, f"自 {since} 起无消息", f"silent since {since}")


def _cameras(cameras: Sequence[CameraFacts]) -> Step:
    if not cameras:
        return _no(Rung.CAMERAS, "未登记摄像机", "no camera is registered")
    off = [camera.code for camera in cameras if OFFLINE in camera.state.split("+")]
    silent = [camera.code for camera in cameras if camera.state == NOT_KNOWN]
    return _judged(Rung.CAMERAS, ("断线", "offline", off), silent)


def _picture(cameras: Sequence[CameraFacts]) -> Step:
    if not cameras:
        return _no(Rung.PICTURE, "未登记摄像机", "no camera is registered")
    bad = [f"{camera.code} ({camera.state})" for camera in cameras if camera.state not in (USABLE, NOT_KNOWN)]
    silent = [camera.code for camera in cameras if camera.state == NOT_KNOWN]
    return _judged(Rung.PICTURE, ("画面不合格", "no usable picture", bad), silent)


def _works(facts: ProjectFacts) -> Step:
    if not facts.works:
        return Step(Rung.WORKS, Footing.YES, "当日无在册的实施中危大工程", "no dangerous work is registered as running")
    states = {camera.code: _watching(camera) for camera in facts.cameras}
    bare: list[str] = []
    silent: list[str] = []
    unjudged: list[str] = []
    for work in facts.works:
        seen = {states.get(code, OFFLINE) for code in work.watched_by}
        if USABLE in seen:
            continue
        (silent if NOT_KNOWN in seen else unjudged if UNJUDGED in seen else bare).append(work.name)
    told = (
        ("无可用摄像机监视", "watched by no usable camera", bare),
        ("监视的摄像机多数时间无法辨认人员", "its cameras could not judge people for most of the day", unjudged),
    )
    if bare or unjudged:
        zh = "；".join(f"{words}：{_listed(which)}" for words, _, which in told if which)
        return _no(Rung.WORKS, zh, "; ".join(f"{words}: {_listed(which)}" for _, words, which in told if which))
    return _judged(Rung.WORKS, ("", "", ()), silent)


def _watching(camera: CameraFacts) -> str:
    """What a camera is worth to the work that it is to watch."""
    return UNJUDGED if camera.state == USABLE and not camera.judges else camera.state


def _data(facts: ProjectFacts) -> Step:
    if not facts.assets:
        zh, en = "当日摄像机无有效识别分钟", "no judged minute of any camera today"
        return _yes(Rung.DATA) if facts.camera_minutes else _no(Rung.DATA, zh, en)
    none = [asset.code for asset in facts.assets if not asset.connected]
    if none:
        return _no(Rung.DATA, f"未接入：{_listed(none)}", f"not connected: {_listed(none)}")
    empty = [asset.code for asset in facts.assets if not asset.good_minutes]
    return _judged(Rung.DATA, ("当日无有效数据", "no valid data today", empty), [])


def _judged(rung: Rung, bad: tuple[str, str, Sequence[str]], silent: Sequence[str]) -> Step:
    """NO for what is known to be bad, else UNKNOWN for what is silent, else YES."""
    zh, en, which = bad
    if which:
        return _no(rung, f"{zh}：{_listed(which)}", f"{en}: {_listed(which)}")
    if silent:
        return Step(rung, Footing.UNKNOWN, f"情况未知：{_listed(silent)}", f"unknown: {_listed(silent)}")
    return _yes(rung)


def _yes(rung: Rung) -> Step:
    return _YES[rung]


def _no(rung: Rung, zh: str, en: str) -> Step:
    return Step(rung, Footing.NO, zh, en)


def _listed(which: Iterable[str]) -> str:
    return ", ".join(which)


_YES: Final = {rung: Step(rung, Footing.YES) for rung in Rung}
_ABOVE_SILENCE: Final = tuple(
    Step(rung, Footing.UNKNOWN, "监控主机无消息，情况未知", "nothing is heard of the box: unknown")
    for rung in (Rung.CAMERAS, Rung.PICTURE, Rung.WORKS, Rung.DATA)
)
