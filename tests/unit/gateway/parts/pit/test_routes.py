"""The pit's office over HTTP: counts and faults in two languages, reports, and a code with words for every refusal."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateway.parts.pit.routes import pit_routes
from tests.fakes.pit_box import PitBox
from tests.fakes.web_face import is_house_error

BY = "user=li&reason=%E6%B5%8B%E9%87%8F"
CSV = {"content-type": "text/csv"}
JSON = {"content-type": "application/json"}
TABLE = "测点,时间,读数\nDJ-01,2023-11-14 09:00,5.0\nDJ-01,2023-11-14,6.0\n"
TYPED = {"point": "DJ-01", "at": "2023-11-14T09:00:00+08:00", "value": 5.0, "unit": "mm"}
READINGS = f"/api/pits/pit-1/readings?{BY}"
BASELINES = "/api/pits/pit-1/baselines"
ORDER = {"user": "li", "reason": "初始值", "point": "dj-02", "zero": 100, "at": "2023-11-13T09:00:00+08:00"}
REPORTS = "/api/pits/pit-1/reports"


class Office:
    """A box with its pit's routes, and a client that lets time pass while it waits."""

    def __init__(self, folder: Path) -> None:
        self.box = PitBox(folder)
        self.folder = folder
        self.app = FastAPI()
        box = self.box
        pit_routes(self.app, box.entries, box.orders, box.reports, box.clock)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://box")

    async def post(self, path: str, content: str, headers: dict[str, str]) -> tuple[int, Any]:
        reply = await self.box.finish(self.client.post(path, content=content.encode(), headers=headers))
        return reply.status_code, reply.json()

    async def get(self, path: str) -> httpx.Response:
        return await self.box.finish(self.client.get(path))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    made.box.site.start()
    yield made
    await made.client.aclose()
    await made.box.stop()


async def test_good_lines_are_counted_and_bad_ones_are_told_in_both_languages(office: Office) -> None:
    status, answer = await office.post(f"{READINGS}&name=a.csv", TABLE, CSV)
    assert (status, answer["accepted"], answer["known"], answer["evidence_seq"]) == (200, 1, 0, 1)
    (fault,) = answer["faults"]
    assert (fault["line"], fault["code"]) == (3, "no_time_of_day")
    assert fault["message_zh"].startswith("第 3 行")
    assert fault["message_en"].startswith("line 3")


async def test_a_typed_reading_is_taken_or_refused_as_a_whole(office: Office) -> None:
    assert (await office.post(READINGS, json.dumps(TYPED), JSON))[1]["accepted"] == 1
    status, answer = await office.post(READINGS, json.dumps({**TYPED, "unit": "kN"}), JSON)
    assert status == 422
    assert is_house_error(answer, "unit_mismatch", "body")


@pytest.mark.parametrize(
    ("body", "field"),
    [("{", "body"), ('{"point": "DJ-01"}', "body.at"), (json.dumps({**TYPED, "value": "much"}), "body.value")],
)
async def test_a_typed_reading_that_is_none_is_told_by_its_field(office: Office, body: str, field: str) -> None:
    status, answer = await office.post(READINGS, body, JSON)
    assert status == 422
    assert is_house_error(answer, "bad_request", field)


@pytest.mark.parametrize("query", ["user=li", "user=%20&reason=x", "user=&reason=x"])
async def test_nobody_brings_readings_without_a_name_and_a_reason(office: Office, query: str) -> None:
    assert (await office.post(f"/api/pits/pit-1/readings?{query}", TABLE, CSV))[0] == 422
    assert office.box.sealed("hand_readings") == []


async def test_another_assets_readings_are_not_found(office: Office) -> None:
    status, answer = await office.post(f"/api/pits/crane-1/readings?{BY}", TABLE, CSV)
    assert status == 404
    assert is_house_error(answer, "no_such_pit", "asset")


async def test_a_store_that_cannot_write_is_said_and_nothing_is_sealed(office: Office) -> None:
    office.box.assets._writer._connection.execute("PRAGMA query_only=1")
    status, answer = await office.post(READINGS, TABLE, CSV)
    assert status == 503
    assert is_house_error(answer, "not_kept", "")
    office.box.assets._writer._connection.execute("PRAGMA query_only=0")
    assert office.box.sealed("hand_readings") == []
    assert (await office.post(READINGS, TABLE, CSV))[1]["accepted"] == 1


async def test_a_baseline_is_ordered_and_one_without_a_point_is_not(office: Office) -> None:
    status, answer = await office.post(BASELINES, json.dumps(ORDER), JSON)
    assert (status, answer["evidence_seq"], answer["since_ns"]) == (200, 1, 1_699_837_200_000_000_000)
    status, answer = await office.post(BASELINES, json.dumps({**ORDER, "point": "dj-99"}), JSON)
    assert status == 404
    assert is_house_error(answer, "no_such_point", "body.point")


@pytest.mark.parametrize("change", [{"kind": "other"}, {"at": "2023-11-13T09:00:00"}, {"zero": "x"}, {"user": ""}])
async def test_a_baseline_that_says_too_little_is_refused(office: Office, change: dict[str, str]) -> None:
    assert (await office.post(BASELINES, json.dumps({**ORDER, **change}), JSON))[0] == 422
    assert office.box.sealed("asset_event") == []


async def test_a_report_is_printed_listed_and_printed_again(office: Office) -> None:
    await office.post(READINGS, TABLE, CSV)
    first = await office.get(f"{REPORTS}/2023-11-14.html")
    assert (first.status_code, first.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert first.content == (await office.get(f"{REPORTS}/2023-11-14.html")).content
    pdf = await office.get(f"{REPORTS}/2023-11-14.pdf")
    assert pdf.content.startswith(b"%PDF")
    (listed,) = (await office.get(REPORTS)).json()["reports"]
    assert (listed["day"], listed["evidence_seq"]) == ("2023-11-14", 2)


@pytest.mark.parametrize(
    ("path", "status", "code", "field"),
    [
        (f"{REPORTS}/2023-11-15.pdf", 409, "day_not_over", "name"),
        (f"{REPORTS}/2023-11-14.txt", 404, "no_such_report", "name"),
        (f"{REPORTS}/2023-02-30.pdf", 404, "no_such_report", "name"),
        ("/api/pits/crane-1/reports/2023-11-14.pdf", 404, "no_such_pit", "asset"),
        ("/api/pits/crane-1/reports", 404, "no_such_pit", "asset"),
    ],
)
async def test_what_there_is_no_report_of(office: Office, path: str, status: int, code: str, field: str) -> None:
    reply = await office.get(path)
    assert reply.status_code == status
    assert is_house_error(reply.json(), code, field)


async def test_a_damaged_report_is_an_error_with_words_and_a_damaged_list_too(office: Office) -> None:
    await office.get(f"{REPORTS}/2023-11-14.pdf")
    shelf = office.folder / "box" / "reports" / "pit-1"
    (shelf / "2023-11-14.pdf").unlink()
    reply = await office.get(f"{REPORTS}/2023-11-14.html")
    assert reply.status_code == 500
    assert is_house_error(reply.json(), "report_damaged", "")
    (shelf / "SHA256SUMS").write_text("not a digest\n")
    assert (await office.get(REPORTS)).status_code == 500


async def test_a_table_goes_on_when_whoever_brought_it_stops_waiting(office: Office) -> None:
    asking = asyncio.create_task(office.client.post(READINGS, content=TABLE.encode(), headers=CSV))
    await asyncio.sleep(0)
    for _ in range(200):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    status, again = await office.post(READINGS, TABLE, CSV)
    assert (status, again["accepted"] + again["known"]) == (200, 1)
    assert len(office.box.samples("pit-1.dj-01_hand")) == 1
