"""R8: what the page shows, what the downloads hold, what a filter may not ask."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from regulator.base.documents.exports import row_hash
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.parts.reports.statistics.definitions import DEFINITIONS
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskClient, DeskFace
from tests.fakes.statistics_month import StatisticsMonth, at
from tests.fakes.waiting import wait_until

MARCH = "/statistics?period=days&from=2026-03-01&to=2026-03-31"


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[DeskFace]:
    """A desk on the third of April, which holds the month."""
    folder = tmp_path_factory.mktemp("statistics")
    (folder / "desk.db").write_bytes(migrated_file.read_bytes())
    database = DeskDatabase(f"sqlite:///{folder / 'desk.db'}")
    month = StatisticsMonth(database)
    month.fill()
    month.roll_up()
    with DeskFace(folder, DeskClock(at(4, 3)), database=database) as face:
        yield face
    database.close()


@pytest.fixture(scope="module")
def client(face: DeskFace) -> DeskClient:
    return face.client(Duty.VIEWER)


def rows_of(client: DeskClient, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text[:500]
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_the_page_shows_every_figure_with_its_count(client: DeskClient) -> None:
    page = client.get(MARCH).text
    for key in DEFINITIONS:
        assert f'id="figure-{key}"' in page
    assert "29 / 140" not in page
    assert "0.21" in page  # 29 alarms in 140 h
    assert "21.4" in page  # 6 of 28
    assert "31 天中 5 天有数据" in page
    assert page.count('class="unknown-word"') == 2  # P2 was never acknowledged: p50 and p95
    assert "本期没有已确认的 P2 报警" in page
    english = client.get(f"{MARCH}&lang=en").text
    assert "no P2 alarm was acknowledged in this period" in english
    assert "统计" not in english.replace("中文", "")


def test_a_download_holds_the_same_with_its_filter(client: DeskClient) -> None:
    rows = {row["标识"]: row for row in rows_of(client, f"{MARCH}&format=csv")}
    assert set(rows) == set(DEFINITIONS)
    assert rows["site_rate"]["数值"] == str(round(29 / 140, 6))
    assert (rows["mtta_p2_p95"]["是否可知"], rows["mtta_p2_p95"]["数值"]) == ("no", "")
    rail = {row["标识"]: row for row in rows_of(client, f"{MARCH}&category=urban_rail&format=csv")}
    assert rail["site_rate"]["样本数"] == "2"
    cameras = rows_of(client, f"{MARCH}&format=csv&table=cameras")
    assert [(row["摄像机或设备"], row["样本数"], row["误报率 (%)"]) for row in cameras] == [
        ("cam-1", "25", "20.0"), ("cam-9", "3", ""),
    ]  # fmt: skip


def test_a_workbook_has_a_dictionary_and_rows_that_prove_themselves(client: DeskClient) -> None:
    book = load_workbook(io.BytesIO(client.get(f"{MARCH}&format=xlsx").content))
    assert book.sheetnames == ["statistics", "字典 dictionary"]
    rows = list(book["statistics"].values)
    assert len(rows) == 1 + len(DEFINITIONS)
    kept = tuple("" if value is None and place not in (4, 7, 8, 11) else value for place, value in enumerate(rows[1]))
    assert row_hash(kept[:-1]) == kept[-1], json.dumps(kept, ensure_ascii=False)


def test_another_city_sees_none_of_it(face: DeskFace) -> None:
    client = face.client(Duty.VIEWER, Scope(Level.CITY, "4403"))
    rows = {row["标识"]: row for row in rows_of(client, f"{MARCH}&format=csv")}
    assert rows["site_rate"]["样本数"] == "2"
    narrowed = {row["标识"]: row for row in rows_of(client, f"{MARCH}&region=4401&format=csv")}
    assert narrowed["site_rate"]["是否可知"] == "no"
    assert "甲市" not in client.get(MARCH).text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("period=ever", "no_such_period"),
        ("period=days&from=2026-03-31&to=2026-03-01", "wrong_days"),
        ("period=days&from=2020-01-01&to=2026-03-01", "wrong_days"),
        ("period=days&from=03/01&to=2026-03-01", "not_a_day"),
        ("category=castle", "no_such_category"),
        ("region=999999", "no_such_region"),
        ("format=pdf", "bad_format"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(client: DeskClient, query: str, code: str) -> None:
    answer = client.get(f"/statistics?{query}", headers={"accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == code


def test_kept_statistics_are_made_anew_after_a_quarter_of_an_hour(face: DeskFace, client: DeskClient) -> None:
    clock = face.clock
    assert isinstance(clock, DeskClock)
    first = "2026-04-03 00:00:00"
    assert first in client.get(MARCH).text
    clock.move(seconds=899)
    assert first in client.get(MARCH).text
    clock.move(seconds=2)
    assert first in client.get(MARCH).text  # shown once more, and made anew beside it
    wait_until(lambda: "2026-04-03 00:15:01" in client.get(MARCH).text, "statistics made anew")
