"""A crane's records over HTTP: our names and the docking practice's, pages, shifts; no crane where there is none."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateway.model.derivation import AssetEvent
from gateway.parts.crane.model.cycle_record import DOCKING_NAMES
from gateway.parts.crane.routes import crane_routes, docking_fields
from tests.fakes.pit_box import PitBox
from tests.fakes.site import NOW_NS

HOUR_NS = 3_600_000_000_000


class Records:
    """A box whose crane did three cycles."""

    def __init__(self, folder: Path) -> None:
        self.box = PitBox(folder)
        for hours, driver in ((30, "7"), (6, "7"), (5, None)):
            at_ns = NOW_NS - hours * HOUR_NS
            content = {"start_ns": at_ns - 60_000_000_000, "end_ns": at_ns, "load_t": 2.5, "driver_no": driver}
            self.box.assets.note(NOW_NS, [AssetEvent("crane-1", "crane_cycle", at_ns, content)])
        self.box.assets.flush().result()
        app = FastAPI()
        crane_routes(app, lambda: self.box.settings, self.box.records, self.box.orders, self.box.clock)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://box")

    async def get(self, path: str) -> tuple[int, Any]:
        reply = await self.client.get(path)
        return reply.status_code, reply.json()


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    made = Records(tmp_path)
    yield made
    await made.client.aclose()
    await made.box.kill()


async def test_cycles_come_newest_first_and_page_by_page(records: Records) -> None:
    status, answer = await records.get("/api/cranes/crane-1/cycles?limit=2")
    assert (status, answer["kept"]) == (200, 3)
    assert [each["number"] for each in answer["cycles"]] == [3, 2]
    _, rest = await records.get("/api/cranes/crane-1/cycles?limit=2&before=2")
    assert [each["number"] for each in rest["cycles"]] == [1]


async def test_a_cycle_is_told_by_our_names_and_by_those_of_docking(records: Records) -> None:
    _, answer = await records.get("/api/cranes/crane-1/cycles?limit=1")
    (cycle,) = answer["cycles"]
    assert (cycle["fields"]["load_t"], cycle["docking"]["WorkWeight"]) == (2.5, 2.5)
    assert (cycle["docking"]["WorkEndDate"], cycle["docking"]["WorkEndTime"]) == ("2023-11-15", "01:13:20")
    assert cycle["docking"]["WorkMaxTorque"] is None


def test_every_docking_field_is_there_even_of_an_empty_cycle() -> None:
    expected = [name for _, names in DOCKING_NAMES for name in names.split(", ")]
    assert docking_fields({}) == dict.fromkeys(expected)


async def test_the_ledger_counts_by_shift_and_driver_within_the_days_asked_for(records: Records) -> None:
    _, answer = await records.get("/api/cranes/crane-1/ledger?days=1")
    assert answer["ledger"] == [
        {"day": "2023-11-14", "shift": 2, "driver": "", "cycles": 1},
        {"day": "2023-11-14", "shift": 2, "driver": "7", "cycles": 1},
    ]
    _, longer = await records.get("/api/cranes/crane-1/ledger?days=3")
    assert sum(each["cycles"] for each in longer["ledger"]) == 3


@pytest.mark.parametrize("path", ["/api/cranes/pit-1/cycles", "/api/cranes/crane-9/ledger"])
async def test_what_is_no_crane_is_not_found(records: Records, path: str) -> None:
    status, answer = await records.get(path)
    assert (status, answer["error"]["code"]) == (404, "no_such_crane")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "before=0"])
async def test_a_page_out_of_bounds_is_refused(records: Records, query: str) -> None:
    reply = await records.client.get(f"/api/cranes/crane-1/cycles?{query}")
    assert reply.status_code == 422
