"""The daily report on paper: every item is there, what is not known says so, HTML and PDF say the same."""

import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from io import BytesIO
from math import inf, nan

import pytest
from pypdf import PdfReader

from gateway.parts.pit.forecast.forecast import Forecast, Stage
from gateway.parts.pit.model.items import ITEMS, PitItem
from gateway.parts.pit.report.daily_html import daily_html
from gateway.parts.pit.report.daily_layout import UNKNOWN, Mark, Page, Section, lay_out, number
from gateway.parts.pit.report.daily_pdf import daily_pdf
from gateway.parts.pit.report.daily_report import (
    Control,
    DailyReport,
    ForecastRow,
    ItemTable,
    Level,
    PatrolLine,
    PointRow,
    ReadingState,
    Weather,
)
from tests.fakes.pit_report import DESIGN, HEADING, full_report, good_row


def squeezed(content: str) -> str:
    return re.sub(r"\s+", "", content)


def pdf_text(content: bytes) -> str:
    return squeezed("".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages))


class _Words(HTMLParser):
    """The text of a page, and the tags that stand in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read_html(content: bytes) -> _Words:
    words = _Words()
    words.feed(content.decode())
    return words


def section(page: Page, title: str) -> Section:
    return next(part for part in page.sections if part.title.startswith(title))


def row_cells(row: PointRow, item: PitItem = PitItem.WALL_TOP_HORIZONTAL) -> dict[str, str]:
    found = section(lay_out(replace(full_report(), tables=(ItemTable(item, (row,)),))), ITEMS[item].title_zh)
    return {title.split(" ")[0]: cell.text for title, cell in zip(found.header, found.rows[0], strict=True)}


def test_every_item_stands_on_both_papers() -> None:
    page = lay_out(full_report())
    html, pdf = squeezed("".join(read_html(daily_html(page)).words)), pdf_text(daily_pdf(page))
    for item, facts in ITEMS.items():
        assert squeezed(facts.title_zh) in html
        assert squeezed(facts.title_zh) in pdf
        assert f"{item.name}-1" in pdf


def test_every_text_of_the_page_stands_on_both_papers() -> None:
    page = lay_out(full_report())
    html, pdf = squeezed("".join(read_html(daily_html(page)).words)), pdf_text(daily_pdf(page))
    texts = [cell.text for part in page.sections for row in part.rows for cell in row]
    texts += [cell.text for _, cell in page.facts] + list(page.signatures) + [page.title, page.footer]
    for text in texts:
        assert squeezed(text) in html
        # a long text may be broken over two pages; its beginning is enough
        assert squeezed(text)[:12] in pdf


def test_the_numbers_of_a_row() -> None:
    cells = row_cells(good_row("S1"))
    assert (cells["上次值"], cells["本次值"], cells["本次变化"]) == ("11.20", "12.35", "+1.15")
    assert (cells["累计变化"], cells["变化速率"], cells["累计控制值"]) == ("+12.35", "+1.15", "30.00")
    assert cells["控制值来源"] == "设计文件 / 监测方案 3.2 / 工地自定"
    assert (cells["状态"], cells["数据"]) == ("正常", "有效")


def test_a_missing_reading_is_unknown_never_normal_or_blank() -> None:
    cells = row_cells(PointRow("S1", Level.NORMAL, ReadingState.MISSING, control=DESIGN))
    for title in ("上次值", "本次值", "本次变化", "累计变化", "变化速率", "状态"):
        assert cells[title] == UNKNOWN
    assert cells["数据"] == "缺测"


@pytest.mark.parametrize(
    "change",
    [
        {"reading": ReadingState.SUSPECT},
        {"reading": ReadingState.BAD},
        {"current": nan},
        {"cumulative": inf},
        {"control": Control()},
    ],
)
def test_normal_has_to_be_proven(change: dict[str, object]) -> None:
    row = replace(good_row("S1"), **change)  # type: ignore[arg-type]
    assert row.shown_level is Level.UNKNOWN
    assert row_cells(row)["状态"] == UNKNOWN


@pytest.mark.parametrize("level", [Level.ATTENTION, Level.WARNING, Level.ALARM, Level.DANGER])
def test_a_missing_reading_hides_no_alarm(level: Level) -> None:
    assert PointRow("S1", level, ReadingState.MISSING).shown_level is level


def test_no_control_value_is_said() -> None:
    cells = row_cells(replace(good_row("S1"), control=Control()))
    assert (cells["累计控制值"], cells["速率控制值"], cells["控制值来源"]) == ("未设", "未设", "未设")


def test_a_control_value_without_clause_says_that_it_is_unknown() -> None:
    control = Control(cumulative=30.0, source="national_code")
    assert row_cells(replace(good_row("S1"), control=control))["控制值来源"] == "国家标准 / 未知 / 未知"


def test_a_strut_may_neither_gain_nor_lose_too_much() -> None:
    both = replace(good_row("Z1"), control=replace(DESIGN, cumulative=900.0, lower=400.0))
    lower = replace(good_row("Z1"), control=replace(DESIGN, cumulative=nan, lower=400.0))
    assert row_cells(both, PitItem.STRUT_FORCE)["累计控制值"] == "400.00 ～ 900.00"
    assert row_cells(lower, PitItem.STRUT_FORCE)["累计控制值"] == "≥ 400.00"


def test_only_deep_displacement_has_depths() -> None:
    assert row_cells(replace(good_row("C1"), depth_m=4.5), PitItem.DEEP_HORIZONTAL)["深度"] == "4.5"
    assert "深度" not in row_cells(good_row("S1"))


def test_items_without_points_are_listed_as_unknown() -> None:
    tables = (ItemTable(PitItem.STRUT_FORCE, (good_row("Z1"),)), ItemTable(PitItem.BASE_HEAVE, ()))
    listed = section(lay_out(replace(full_report(), tables=tables)), "本报告无数据")
    titles = {row[0].text for row in listed.rows}
    assert len(titles) == len(ITEMS) - 1
    assert ITEMS[PitItem.BASE_HEAVE].title_zh in titles
    assert {row[1].text for row in listed.rows} == {UNKNOWN}


def test_unknown_weather_and_works_are_said() -> None:
    page = lay_out(replace(full_report(), weather=Weather(), works=type(full_report().works)()))
    facts = {label: cell.text for label, cell in page.facts}
    assert facts["天气"] == "未知；气温 未知～未知 ℃；24 h 降雨 未知 mm"
    assert facts["开挖深度"] == facts["安全等级"] == facts["施工工况"] == UNKNOWN


def test_forecasts_are_intervals_and_silence_is_not_safety() -> None:
    speaking = Forecast(20.2, 41.7, 82.0, 1.25, Stage.MEDIUM_ACCELERATION, clear=True)
    silent = Forecast(tangent_deg=60.0, stage=Stage.INITIAL_ACCELERATION)
    rows = tuple(
        ForecastRow(name, PitItem.WALL_TOP_HORIZONTAL, said) for name, said in (("A", silent), ("B", speaking))
    )
    quiet = ForecastRow("C", PitItem.BASE_HEAVE, Forecast(stage=Stage.STEADY))
    lost = ForecastRow("D", PitItem.BASE_HEAVE, Forecast())
    found = section(lay_out(replace(full_report(), forecasts=(*rows, quiet, lost))), "失稳预报")
    assert (found.rows[0][0].text, found.rows[0][4].text) == ("B", "20 ～ 42")
    assert found.rows[1][4].text == UNKNOWN
    assert len(found.rows) == 2
    assert "1 个测点无加速迹象，1 个测点未知" in found.note
    assert "不等于安全" in found.note


def test_a_forecast_that_may_come_to_rest_says_so() -> None:
    unclear = Forecast(9.4, 150.0, 82.0, 1.25, Stage.MEDIUM_ACCELERATION)
    row = ForecastRow("A", PitItem.WALL_TOP_HORIZONTAL, unclear)
    found = section(lay_out(replace(full_report(), forecasts=(row,))), "失稳预报")
    assert found.rows[0][4].text == "9 ～ 150（也可能趋稳）"
    assert "尚不能排除变形自行停止" in found.note


def test_the_patrol_is_left_to_people_unless_it_was_recorded() -> None:
    found = section(lay_out(replace(full_report(), patrol=())), "现场巡视")
    assert len(found.rows) >= 6
    assert {row[2].mark for row in found.rows} == {Mark.BY_HAND}
    line = PatrolLine("支护结构", "冠梁裂缝", "东侧新增一条 0.2 mm")
    found = section(lay_out(replace(full_report(), patrol=(line,))), "现场巡视")
    assert [cell.text for cell in found.rows[0]] == ["支护结构", "冠梁裂缝", "东侧新增一条 0.2 mm"]


def test_levels_are_counted_as_they_are_shown() -> None:
    rows = (
        good_row("S1"),
        PointRow("S2", Level.NORMAL, ReadingState.MISSING),
        replace(good_row("S3"), level=Level.ALARM),
    )
    facts = dict(lay_out(replace(full_report(), tables=(ItemTable(PitItem.BASE_HEAVE, rows),))).facts)
    assert facts["测点状态"].text == "危险 0，报警 1，预警 0，关注 0，正常 1，未知 1"


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    words = read_html(daily_html(lay_out(full_report())))
    assert not words.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not {name for name in words.attributes if name.startswith("on")} | (words.attributes & {"src", "href"})


def test_names_from_outside_cannot_become_tags() -> None:
    evil = "<script>alert('x')</script>&amp;"
    rows = (replace(good_row(evil), remark=evil),)
    report = replace(
        full_report(), heading=replace(HEADING, project=evil), tables=(ItemTable(PitItem.BASE_HEAVE, rows),)
    )
    words = read_html(daily_html(lay_out(report)))
    assert "script" not in words.tags
    assert words.words.count(evil) == 3
    assert squeezed(evil) in pdf_text(daily_pdf(lay_out(report)))


def test_the_same_report_gives_the_same_bytes() -> None:
    assert daily_html(lay_out(full_report())) == daily_html(lay_out(full_report()))
    assert daily_pdf(lay_out(full_report())) == daily_pdf(lay_out(full_report()))


def test_another_report_gives_other_bytes() -> None:
    other = replace(full_report(), remarks="夜间暴雨")
    assert daily_html(lay_out(other)) != daily_html(lay_out(full_report()))
    assert daily_pdf(lay_out(other)) != daily_pdf(lay_out(full_report()))


def test_a_report_of_many_points_fills_many_pages_with_their_header() -> None:
    rows = tuple(good_row(f"S{i}") for i in range(200))
    report = replace(full_report(), tables=(ItemTable(PitItem.WALL_TOP_HORIZONTAL, rows),))
    pages = [squeezed(page.extract_text()) for page in PdfReader(BytesIO(daily_pdf(lay_out(report)))).pages]
    assert len(pages) > 4
    assert all("本次值mm" in page for page in pages[1:4])
    assert all(f"第{i}页" in page for i, page in enumerate(pages, start=1))


def test_a_time_without_zone_is_refused() -> None:
    heading = replace(HEADING, prepared_at=datetime(2026, 11, 22, 8))
    with pytest.raises(ValueError, match="time zone"):
        lay_out(replace(full_report(), heading=heading))


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.001, "0.00"), (0.0, "0.00"), (1.005, "+1.00"), (-2.5, "-2.50"), (nan, UNKNOWN), (-inf, UNKNOWN)],
)
def test_signed_numbers(value: float, text: str) -> None:
    assert number(value, 2, signed=True).text == text


def test_an_empty_report_still_says_what_it_does_not_know() -> None:
    bare = DailyReport(HEADING, Weather(), type(full_report().works)(), ())
    assert pdf_text(daily_pdf(lay_out(bare))).count(UNKNOWN) >= len(ITEMS)
