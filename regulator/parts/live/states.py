"""The words of a live view: where it stands, and why it ended or never began. Pure."""

from enum import Enum
from typing import Final

from regulator.base.kinds import Word

SECOND_NS: Final = 1_000_000_000
LEASE_NS: Final = 10 * SECOND_NS
"""A page that has not renewed for so long watches no more."""
MOST_NS: Final = 600 * SECOND_NS
"""The longest view; then somebody has to ask again, with a reason."""
UNANSWERED_NS: Final = 15 * SECOND_NS
"""After so long the page says that the box may be too old, or not there."""
HEARD_WITHIN_NS: Final = 180 * SECOND_NS
GIVE_UP_NS: Final = 60 * SECOND_NS
"""Then it is over."""
MOST_OF_A_BOX: Final = 2
MOST_OF_A_DESK: Final = 16
MOST_OF_A_PERSON: Final = 4


class LiveStage(Enum):
    """How far a live view has come, from request to end."""

    ASKED = "asked"
    OPENING = "opening"
    PLAYING = "playing"
    ENDED = "ended"
    REFUSED = "refused"


class LiveReason(Word):
    """Why there is no picture (any more)."""

    NOT_PLAYABLE = "not_playable", "摄像机未输出 H.264，无法播放", "the camera sends no H.264: no browser plays it"
    OFFLINE = "offline", "摄像机断线", "the camera is offline"
    NO_CAMERA = "no_camera", "监控主机没有这个摄像机", "the box has no such camera"
    NOT_ALLOWED = "not_allowed", "现场未开放实时视频", "the site gives no live video to this desk"
    BUSY = "busy", "监控主机同时发送的实时视频已达上限", "the box sends as many live videos as it may already"
    FAILED = "failed", "监控主机无法提供实时视频", "the box could not give live video"
    ENDED = "ended", "视频流已结束", "the stream has ended"
    NO_ANSWER = (
        "no_answer",
        "监控主机未应答：版本可能过旧或未连接",
        "no answer: the box may be too old, or not connected",
    )
    STOPPED = "stopped", "已停止观看", "watching was stopped"
    LEFT = "left", "页面已无人观看", "nobody watched the page any more"
    TIME_UP = "time_up", "单次观看时间已到，如需继续请重新请求", "the time of one view is over; ask again to go on"
