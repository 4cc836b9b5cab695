"""What is wrong with a picture by night, in both languages, with the figures that were found.

In: faults as `vision.edges.survey_night.night_look` says them. Out: (Chinese, English). Pure.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.model.night_picture import NightFault, NightProblem

_ZH: Final[Mapping[NightProblem, str]] = {
    NightProblem.NO_PICTURE: "这不是一张能打开的画面，请重新拍摄",
    NightProblem.OTHER_SIZE: "画面尺寸与白天的参考画面不同（{found}，应为 {expected}），请恢复摄像机的分辨率后重新拍摄",
    NightProblem.TOO_DARK: "画面太暗，什么都看不出（最亮处灰度 {found}，至少 {expected}），请开灯后重新拍摄",
    NightProblem.SAME_LIGHT: "光照与白天的参考画面相同（差别 {found}，至少 {expected}），请在夜间亮灯时拍摄",
    NightProblem.NOT_MATCHED: "与白天的参考画面对不上（匹配度 {found}，至少 {expected}），请查看摄像机的朝向和照明",
    NightProblem.MOVED: "摄像机已移动（{found} 像素，至多 {expected}），请先在新的参考画面上重新标绘",
    NightProblem.NO_LINES: "沿标绘的各条边都看不出防护的线条（最多沿 {found}，至少 {expected}），请改善照明后重新拍摄",
}
_EN: Final[Mapping[NightProblem, str]] = {
    NightProblem.NO_PICTURE: "This is no picture that can be opened: take another one",
    NightProblem.OTHER_SIZE: "Not of the size of the reference by day: set the camera's resolution back",
    NightProblem.TOO_DARK: "Too dark to show anything: switch the lamps on and take another one",
    NightProblem.SAME_LIGHT: "The light is that of the reference by day: take it by night, with the lamps on",
    NightProblem.NOT_MATCHED: "It cannot be laid over the reference by day: look at the camera's view and the lamps",
    NightProblem.MOVED: "The camera has moved: draw on a new reference picture first",
    NightProblem.NO_LINES: "No line of a protection is seen along any drawn edge: light the edge and take another one",
}


_FIGURE: Final = re.compile(r"\d+ x \d+|-?\d+(?:\.\d+)?%?")


def night_words(faults: Sequence[NightFault]) -> tuple[tuple[str, str], ...]:
    """Each fault with what was found and what was expected."""
    return tuple((_zh(fault), _en(fault)) for fault in faults)


def _zh(fault: NightFault) -> str:
    return _ZH[fault.problem].format(found=_figure(fault.found), expected=_figure(fault.expected))


def _en(fault: NightFault) -> str:
    return f"{_EN[fault.problem]} (found {fault.found}; expected {fault.expected})"


def _figure(text: str) -> str:
    """The first figure of a text; the text itself where it has none."""
    found = _FIGURE.search(text)
    return found[0] if found else text
