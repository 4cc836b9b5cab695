"""What stands in a report, as texts and tables in order: one content for the kept body, the HTML and the PDF. Pure.

    sections --canonical JSON--> body (kept, hashed)          body --paper_of--> ReportPaper --> HTML, PDF

A cell that says UNKNOWN is the word 未知 with its reason beside it. The words are Chinese: a report goes to Chinese
authorities; the figures carry their English names in the body and in the exports.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from contract.canonical import Canonical, canonical_bytes
from screens.formats import local_day_time

UNKNOWN = "未知"
MOST_ROWS = 600
"""A list that is longer says how many more there are; all of them are on the desk's pages and in its exports."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One table. `widths` are shares of the line. `left_out`: rows that were not printed."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, some sentences, some tables."""

    title: str
    sentences: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()


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


@dataclass(frozen=True, slots=True)
class ReportPaper:
    """The whole of it. `signed`: who issued it and when; empty for a draft. `digest`: SHA-256 of the body, hex."""

    head: Head
    sections: tuple[Section, ...]
    digest: str
    signed: str

    @property
    def title(self) -> str:
        """甲市 2026年3月 安全监管月报."""
        names = {"month": "月报", "half_year": "半年报", "year": "年报"}
        return f"{self.head.region_name}{self.head.period_zh}房屋市政工程安全监管{names[self.head.kind]}"

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands below the title."""
        head = self.head
        said = [f"编号：{head.number}（第 {head.edition} 版）", f"编制单位：{head.desk_name}"]
        said.append(f"数据冻结时间：{local_day_time(head.drafted_at_ns)}（北京时间）")
        if head.replaces:
            said.append(f"本版更正 {head.replaces}，原因：{head.reason}")
        return (*said, self.signed or "草稿，尚未签发")


def grid(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], widths: tuple[int, ...] = ()) -> Grid:
    """A table of at most `MOST_ROWS` rows. Raises ValueError for a row with too few or too many cells."""
    for number, row in enumerate(rows, 1):
        if len(row) != len(heads):
            raise ValueError(f"{caption}: row {number} has {len(row)} cells, expected {len(heads)}")
    kept = tuple(rows[:MOST_ROWS])
    return Grid(caption, heads, kept, widths or (1,) * len(heads), len(rows) - len(kept))


def body_of(head: Head, sections: tuple[Section, ...], figures: "list[dict[str, Canonical]]") -> bytes:
    """The canonical bytes that are kept and hashed. `figures`: what programs read, numbers as decimal texts."""
    kept: dict[str, Canonical] = {
        "head": {name: getattr(head, name) for name in Head.__slots__},
        "figures": figures,
        "sections": [_section_body(section) for section in sections],
    }
    return canonical_bytes(kept)


def paper_of(body: str, digest: str, signed: str = "") -> ReportPaper:
    """The paper of a kept body."""
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
        for each in said["sections"]
    )  # fmt: skip
    return ReportPaper(Head(**said["head"]), sections, digest, signed)


def _section_body(section: Section) -> dict[str, Canonical]:
    grids: list[Canonical] = [
        {
            "caption": each.caption,
            "heads": list(each.heads),
            "rows": [list(row) for row in each.rows],
            "widths": list(each.widths),
            "left_out": each.left_out,
        }
        for each in section.grids
    ]
    return {"title": section.title, "sentences": list(section.sentences), "grids": grids}
