"""What stands in a report, as texts and tables in order: one content for the kept body, the HTML and the PDF. Pure.

    sections --canonical JSON--> body (kept, hashed)          body --paper_of--> ReportPaper --> HTML, PDF

A text is one word for both languages (a name, a number, a day) or `Words`. The body holds every section in both, so
that one digest stands for both; a paper is of one. A cell that says UNKNOWN is 未知 with its reason beside it.
A body that was kept before papers had a second language has its Chinese sections alone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from contract.canonical import Canonical, canonical_bytes
from kit.words import Words
from screens.formats import local_day_time

PaperLanguage = Literal["zh", "en"]
Text = str | Words
T_co = TypeVar("T_co", covariant=True)
UNKNOWN = Words("未知", "unknown")
MOST_ROWS = 600
"""A list that is longer says how many more there are; all of them are on the desk's pages and in its exports."""


@dataclass(frozen=True, slots=True)
class Grid(Generic[T_co]):
    """One table. `widths` are shares of the line. `left_out`: rows that were not printed."""

    caption: T_co
    heads: tuple[T_co, ...]
    rows: tuple[tuple[T_co, ...], ...]
    widths: tuple[int, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Section(Generic[T_co]):
    """A heading, some sentences, some tables."""

    title: T_co
    sentences: tuple[T_co, ...] = ()
    grids: tuple[Grid[T_co], ...] = ()


TextGrid = Grid[Text]
TextSection = Section[Text]


@dataclass(frozen=True, slots=True)
class Head:
    """Which report it is. `replaces` names the edition that this one corrects, `reason` why; empty for a first one."""

    number: str
    kind: str
    period: str
    period_zh: str
    level: str
    region_code: str
    region_name: str
    edition: int
    replaces: str
    reason: str
    desk_name: str
    drafted_at_ns: int
    period_en: str = ""
    desk_name_en: str = ""


@dataclass(frozen=True, slots=True)
class ReportPaper:
    """The whole of it. `signed`: who issued it and when; empty for a draft. `digest`: SHA-256 of the body, hex."""

    head: Head
    sections: tuple[Section[str], ...]
    digest: str
    signed: str
    language: PaperLanguage = "zh"

    def say(self, zh: str, en: str) -> str:
        """The paper's own language."""
        return en if self.language == "en" else zh

    @property
    def title(self) -> str:
        """甲市 2026年3月 安全监管月报."""
        if self.language == "en":
            kinds = {"month": "monthly report", "half_year": "half-year report", "year": "yearly report"}
            what = f"Safety supervision of building and municipal works, {kinds[self.head.kind]}"
            return f"{what}: {self.head.region_name}, {self.head.period_en}"
        names = {"month": "月报", "half_year": "半年报", "year": "年报"}
        return f"{self.head.region_name}{self.head.period_zh}房屋市政工程安全监管{names[self.head.kind]}"

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands below the title."""
        head = self.head
        if self.language == "en":
            said = [f"Number: {head.number} (edition {head.edition})", f"Made by: {head.desk_name_en}"]
            said.append(f"Numbers frozen at: {local_day_time(head.drafted_at_ns)} (Beijing time)")
            if head.replaces:
                said.append(f"This edition corrects {head.replaces}, because: {head.reason}")
            return (*said, self.signed or "Draft, not signed yet")
        said = [f"编号：{head.number}（第 {head.edition} 版）", f"编制单位：{head.desk_name}"]
        said.append(f"数据冻结时间：{local_day_time(head.drafted_at_ns)}（北京时间）")
        if head.replaces:
            said.append(f"本版更正 {head.replaces}，原因：{head.reason}")
        return (*said, self.signed or "草稿，尚未签发")


def grid(
    caption: Text, heads: tuple[Text, ...], rows: Sequence[tuple[Text, ...]], widths: tuple[int, ...] = ()
) -> TextGrid:
    """A table of at most `MOST_ROWS` rows. Raises ValueError for a row with too few or too many cells."""
    for number, row in enumerate(rows, 1):
        if len(row) != len(heads):
            raise ValueError(f"{caption}: row {number} has {len(row)} cells, expected {len(heads)}")
    kept = tuple(rows[:MOST_ROWS])
    return Grid(caption, heads, kept, widths or (1,) * len(heads), len(rows) - len(kept))


def body_of(head: Head, sections: tuple[TextSection, ...], figures: "list[dict[str, Canonical]]") -> bytes:
    """The canonical bytes that are kept and hashed. `figures`: what programs read, numbers as decimal texts."""
    kept: dict[str, Canonical] = {
        "head": {name: getattr(head, name) for name in Head.__slots__},
        "figures": figures,
        "sections": [_section_body(section, "zh") for section in sections],
        "sections_en": [_section_body(section, "en") for section in sections],
    }
    return canonical_bytes(kept)


def has_english(body: str) -> bool:
    """Whether a kept body can be shown in English too."""
    return "sections_en" in json.loads(body)


def paper_of(body: str, digest: str, signed: str = "", language: PaperLanguage = "zh") -> ReportPaper:
    """The paper of a kept body. Raises KeyError for English of a body that has none."""
    said = json.loads(body)
    sections = tuple(
        Section(
            each["title"],
            tuple(each["sentences"]),
            tuple(
                Grid(
                    one["caption"], tuple(one["heads"]), tuple(tuple(row) for row in one["rows"]), tuple(one["widths"]),
                    one["left_out"],
                )
                for one in each["grids"]
            ),
        )
        for each in said["sections_en" if language == "en" else "sections"]
    )  # fmt: skip
    return ReportPaper(Head(**said["head"]), sections, digest, signed, language)


def _section_body(section: TextSection, language: PaperLanguage) -> dict[str, Any]:
    def told(texts: Sequence[Text]) -> list[Canonical]:
        return [_text(each, language) for each in texts]

    grids: list[Canonical] = [
        {
            "caption": _text(each.caption, language),
            "heads": told(each.heads),
            "rows": [told(row) for row in each.rows],
            "widths": list(each.widths),
            "left_out": each.left_out,
        }
        for each in section.grids
    ]
    return {"title": _text(section.title, language), "sentences": told(section.sentences), "grids": grids}


def _text(text: Text, language: PaperLanguage) -> str:
    return text if isinstance(text, str) else text.said(language)
