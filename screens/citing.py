"""How a clause, its certainty and an item of the national criteria are written for people.

Rules, records and JSON carry codes: V1, M-H, PD, MH24-8-4. Pages, papers, tables and messages show the words made here.
In: a code or a clause as the rule pack writes it. Out: text in the reader's language. Pure, but for one catalogue file.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from screens.catalogue import Catalogue, Language


@dataclass(frozen=True, slots=True)
class Certainty:
    """One certainty code: `zh` and `en` stand beside a clause, `means_zh` and `means_en` in the legend."""

    code: str
    zh: str
    en: str
    means_zh: str
    means_en: str


CERTAINTIES: Final = (
    Certainty(
        "V1",
        "条文已核对原文",
        "checked against the clause's own text",
        "已对照条文原文或官方文本核对",
        "somebody read the clause itself, or an official text of it",
    ),
    Certainty(
        "V2",
        "依据二手资料，待核对原文",
        "from secondary sources, to be confirmed",
        "取自转引该条文的资料，尚未对照原文，使用前应核对",
        "a document that quotes the clause was read, not the clause; confirm it before relying on it",
    ),
    Certainty(
        "M-H",
        "未核对原文，可信度高",
        "not checked against the text, confidence high",
        "凭专业经验填写，没有对照任何文本，把握较大",
        "written from memory, no text was read; the writer is fairly sure",
    ),
    Certainty(
        "M-M",
        "未核对原文，可信度中",
        "not checked against the text, confidence medium",
        "凭专业经验填写，没有对照任何文本，把握一般",
        "written from memory, no text was read; the writer is not sure",
    ),
    Certainty(
        "M-L",
        "未核对原文，可信度低",
        "not checked against the text, confidence low",
        "凭专业经验填写，没有对照任何文本，把握较小",
        "written from memory, no text was read; the writer doubts it",
    ),
    Certainty(
        "PD",
        "产品设定，非标准条文",
        "product setting, no standard",
        "产品自带的建议值或做法，任何标准都没有规定",
        "a value or a practice that the product proposes; no standard gives it",
    ),
    Certainty(
        "SITE",
        "工地自定",
        "set by the site",
        "由工地按设计、方案或说明书填写",
        "entered by the site from its design, scheme or manual",
    ),
)
_BY_CODE: Final = {each.code: each for each in CERTAINTIES}
_MARKED: Final = re.compile(
    r" ?[(（](V1|V2|M-H|M-M|M-L|PD|SITE)[)）]"  # alone in brackets
    r"|(?<=[,，] |.[,，])(V1|V2|M-H|M-M|M-L|PD)(?=[)）;])"  # after another remark in the same brackets
)
_LAST_MARK: Final = re.compile(r" \((?:V1|V2|M-H|M-M|M-L|PD|SITE)\)$")
_ITEM: Final = re.compile(r"(?<![A-Za-z0-9])MH(\d{2})-(\d{1,2})(?:-(\d{1,2})(?:-(\d))?)?(?![0-9])")
_BETWEEN: Final = (("; ", "；"), (": ", "："), (", of ", "，取自 "), (", ", "，"))
_FIGURES: Final = tuple(
    (re.compile(pattern), zh)
    for pattern, zh in (
        (r"\bTable (?=\d)", "表 "),
        (r"^lower end of ([\d.]+) to ([\d.]+)", r"\1～\2 取下限"),
        (r"^band ([\d.]+)", r"分级系数 \1"),
        (r"^page (\d+)$", r"第 \1 页"),
        (r"(\d+) % of it$", r"按其 \1%"),
        (r" % of H = ([\d.]+) m", r"% × 开挖深度 H，H = \1 m"),
        (r"\bch\. (\d+)", r"第 \1 章"),
        (r"^beyond it suspected (?=MH)", "超过即疑似"),
        (r"^suspected (?=MH)", "疑似"),
    )
)
"""Parts that hold figures."""
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_DIGITS: Final = "零一二三四五六七八九十"


def certainty_text(language: Language, code: str) -> str:
    """The words of a certainty code. A code that is not known stays as it is."""
    found = _BY_CODE.get(code)
    if found is None:
        return code
    return found.zh if language == "zh-CN" else found.en


def item_text(language: Language, code: str) -> str:
    """An item of the criteria for major accident hazards: `MH24-8-4` is article 8(4) of the 2024 edition."""
    return _ITEM.sub(lambda found: _item(language, found), code)


def clause_text(language: Language, clause: str) -> str:
    """A rule's clause as a person reads it: translated where a translation is known, and without codes."""
    said = _translated(clause) if language == "zh-CN" else clause
    if not _CHINESE.search(said):  # no part of it is known: it keeps its own commas
        said = clause
    said = _MARKED.sub(lambda found: _certainty_mark(language, found), said)
    return item_text(language, said)


def _certainty_mark(language: Language, found: re.Match[str]) -> str:
    if found[2]:  # the second of two remarks in one pair of brackets
        return certainty_text(language, found[2])
    words = certainty_text(language, found[1])
    return f"（{words}）" if language == "zh-CN" else f" ({words})"


def _item(language: Language, found: re.Match[str]) -> str:
    year, article, item, case = f"20{found[1]}", int(found[2]), found[3], found[4] or ""
    if language != "zh-CN":
        return (
            f"item {article}({item}){case} of the {year} criteria"
            if item
            else f"article {article} of the {year} criteria"
        )
    said = f"《判定标准（{year}版）》第{_numeral(article)}条"
    said += f"第{_numeral(int(item))}项" if item else ""
    return said + (f"第{case}目" if case else "")


def _numeral(number: int) -> str:
    """1 to 19 in Chinese."""
    return _DIGITS[number] if number <= 10 else f"十{_DIGITS[number - 10]}"


def _translated(clause: str) -> str:
    """The whole clause, or each of its parts between semicolons, colons and commas. An unknown part stays."""
    known = _catalogue()
    if clause in known:
        return known.text("zh-CN", clause)
    if mark := _LAST_MARK.search(clause):
        return _translated(clause[: mark.start()]) + mark[0]
    for between, zh in _BETWEEN:
        if between in clause:
            return zh.join(_translated(part) for part in clause.split(between))
    for pattern, zh in _FIGURES:
        clause = pattern.sub(zh, clause)
    return clause


@cache
def _catalogue() -> Catalogue:
    return Catalogue([Path(__file__).parent / "clauses"])
