"""The words of a drawing: what stands along an edge, and faults, each beside the row that it is about.

    zones[0].outline[2]: ('x', 0.5); expected ...    ->  zone row 0: point 3: ...

In: faults as `read_survey` says them. Out: rows with their faults in both languages. Pure. What is not in the table is
shown as it was said, in English.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gateway.model.survey import Protection
from gateway.parts.camera.survey_form import SurveyRows

_FAULT: Final = re.compile(r"(?P<where>[^:]*): (?P<found>.*); expected (?P<expected>.*)", re.DOTALL)
_PLACE: Final = re.compile(r"(zones|edges)\[(\d+)\]\.?(.*)")
_PARTS: Final[Sequence[tuple[str, str, str]]] = (
    (r"(?:outline|line)\[(\d+)\]", "第 {n} 点", "point {n}"),
    (r"(?:outline|line)", "点", "points"),
    (r"marks\[(\d+)\]\.foot", "标尺 {n} 下端", "foot of mark {n}"),
    (r"marks\[(\d+)\]\.top", "标尺 {n} 上端", "top of mark {n}"),
    (r"marks\[(\d+)\]\.height_m", "标尺 {n} 栏杆高度", "rail height of mark {n}"),
    (r"marks\[(\d+)\]", "标尺 {n}", "mark {n}"),
    (r"marks", "标尺", "marks"),
    (r"site_m\[(\d+)\]", "第 {n} 点坐标", "place of point {n}"),
    (r"site_m", "坐标", "places"),
    (r"title", "名称", "name"),
    (r"length_m", "实际长度", "true length"),
    (r"use", "用途", "use"),
    (r"kind", "类型", "kind"),
    (r"preset", "预置位", "preset"),
    (r"protection", "防护类型", "protection"),
)
_EXPECTED_ZH: Final[Sequence[tuple[str, str]]] = (
    (r"x and y as fractions of the picture", "每行应为一个点：横坐标, 纵坐标（画面的百分比）"),
    (r"a spot inside the picture, x and y from 0 to 1", "点应在画面内，0 到 100"),
    (r"an outline that does not cross itself", "轮廓线不能自相交叉"),
    (r"spots that are apart", "与前一点重合，请移开"),
    (r"the top at least .*", "标尺上端应明显高于下端"),
    (r"one towards either end of the line", "两个标尺应分别靠近线的两端"),
    (r"a foot on the line", "标尺下端应落在线上"),
    (r"at least [\d.e-]+ of the picture", "在画面中太短，无法判断"),
    (r"at least [\d.e-]+", "面积太小，无法判断"),
    (r"a number from ([\d.]+) to ([\d.]+)", r"应为 \1 到 \2 之间的数（米）"),
    (r"a number from -1e\+07 to 1e\+07", "每行应为一个点的坐标：东, 北（米）"),
    (r"the true places of .*", "各点坐标与画面不相符，请按点的顺序核对"),
    (r"(\d+) to (\d+) printable characters", r"请填写，\1 到 \2 个字符"),
    (r"(\d+) to (\d+)", r"个数应为 \1 到 \2"),
    (r"one of .*", "请选择列出的一项"),
    (r"one name each", "名称重复"),
    (r"no more", "预置位已达上限，请先停用一个"),
)
_EXPECTED_EN: Final[Sequence[tuple[str, str]]] = (
    (r"x and y as fractions of the picture", "a point a line: x, y in per cent of the picture"),
    (r"a spot inside the picture, x and y from 0 to 1", "a point inside the picture, from 0 to 100"),
)

PROTECTIONS: Final = {
    Protection.UNKNOWN: "not said",
    Protection.STEEL_RAIL: "steel rail",
    Protection.MESH_PANEL: "mesh panel",
    Protection.SAFETY_NET: "green safety net",
    Protection.CABLE: "cable or rope",
    Protection.TAPE: "tape only: not protected",
    Protection.COVER: "cover of an opening",
    Protection.PIT_FENCE: "fence of a pit",
    Protection.STAIR_EDGE: "rail of a stair",
}
"""What stands along an edge, as the catalogues know it."""


def with_faults(rows: SurveyRows, faults: Sequence[str]) -> SurveyRows:
    """The rows, each with what is wrong with it; what belongs to no row stands above them."""
    zones, edges, rest = list(rows.zones), list(rows.edges), list(rows.faults)
    for fault in faults:
        kind, number, words = _read(fault)
        if kind == "zones" and number < len(zones):
            zones[number] = replace(zones[number], faults=(*zones[number].faults, words))
        elif kind == "edges" and number < len(edges):
            edges[number] = replace(edges[number], faults=(*edges[number].faults, words))
        else:
            rest.append(words)
    return SurveyRows(tuple(zones), tuple(edges), tuple(rest))


def _read(fault: str) -> tuple[str, int, tuple[str, str]]:
    said = _FAULT.fullmatch(fault)
    if said is None:
        return "", 0, (fault, fault)
    place = _PLACE.fullmatch(said["where"])
    zh, en = _part(place[3] if place else said["where"])
    expected_zh, expected_en = _worded(said["expected"], _EXPECTED_ZH), _worded(said["expected"], _EXPECTED_EN)
    words_zh = f"{zh}：{expected_zh}" if expected_zh else f"{zh}: {said['found']}; {said['expected']}"
    words_en = f"{en}: {said['found']}; expected {expected_en or said['expected']}"
    return (place[1], int(place[2]), (words_zh, words_en)) if place else ("", 0, (words_zh, words_en))


def _part(where: str) -> tuple[str, str]:
    for pattern, zh, en in _PARTS:
        if found := re.fullmatch(pattern, where):
            number = int(found[1]) + 1 if found.groups() else 0
            return zh.format(n=number), en.format(n=number)
    return where, where


def _worded(expected: str, table: Sequence[tuple[str, str]]) -> str:
    for pattern, words in table:
        if found := re.fullmatch(pattern, expected):
            return found.expand(words)
    return ""
