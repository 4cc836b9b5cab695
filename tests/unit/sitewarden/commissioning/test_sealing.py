"""A sheet is kept, signed and sealed once, whatever happens in between; a changed one is not printed."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.chain import ChainHead
from contract.keyfile import load_or_create
from contract.signing import verify_key
from gateway.line.arming import FOLDER, read_arming
from gateway.line.recorder import Recorder, Route
from gateway.store.alert_store import AlertStore
from kit.clock import SimulatedClock
from sitewarden.commissioning.findings import Commissioning, CraneFinding
from sitewarden.commissioning.known_load import KnownLoad, check_known_load
from sitewarden.commissioning.sealing import SheetError, box_key, keep_sheet, printed_sheet, seal_now
from sitewarden.commissioning.sheet import sheet_html

LOAD = check_known_load(KnownLoad(2.0), [{"load_t": 2.3, "rated_t": 4.0, "moment_pct": 57.5, "radius_m": 20.0}])
FOUND = Commissioning(
    box="box-1",
    project_code="P-1",
    site_zh="工地<甲>",
    site_en='Site "A" & co',
    software="0",
    settings_digest="0" * 64,
    at_ns=1_790_000_000_000_000_000,
    operator="<script>alert(1)</script>",
    devices=(),
    cranes=(CraneFinding("crane-1", (), LOAD, False, "误差", "error"),),
)


class Chain:
    """A store and the recorder on it, as the command has them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, SimulatedClock()
        self.store = AlertStore(folder, 2**20)
        routes = [Route("desk", False, True, True)]
        self.recorder = Recorder(self.store, "box-1", "P-1", routes, self.clock)

    async def seal(self) -> int:
        return await seal_now(self.folder, self.store, self.recorder, self.clock)


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[Chain]:
    made = Chain(tmp_path)
    yield made
    made.store.close()


async def test_a_sheet_is_sealed_signed_and_sent(chain: Chain) -> None:
    key = load_or_create(chain.folder / "keys" / "desk.pem")
    page = sheet_html(FOUND)
    kept = keep_sheet(chain.folder, FOUND, page, box_key(chain.folder, ["mqtt", "desk"]))
    assert await chain.seal() == 1
    assert printed_sheet(chain.folder, chain.store) == page == kept.path.read_bytes()
    last = chain.store.last_of("commissioned")
    assert last is not None
    content = json.loads(last.body)["content"]
    verify_key(content["alg"], content["public_key"]).verify(content["signature"], page)
    assert content["key_id"] == key.public.key_id
    assert [item.kind for item in chain.store.pending("desk", 10)] == ["evidence_record"]
    assert isinstance(chain.store.verify(), ChainHead)
    assert not read_arming(chain.folder, ()).assets["crane-1"].armed


async def test_a_crash_before_filing_seals_once(chain: Chain) -> None:
    keep_sheet(chain.folder, FOUND, sheet_html(FOUND), None)
    (pending,) = (chain.folder / FOLDER / "pending").glob("*.json")
    content = pending.read_bytes()
    assert await chain.seal() == 1
    pending.write_bytes(content)
    assert await chain.seal() == 0
    assert not list((chain.folder / FOLDER / "pending").glob("*.json"))


async def test_one_broken_pending_record_does_not_hold_up_the_next(chain: Chain) -> None:
    keep_sheet(chain.folder, FOUND, sheet_html(FOUND), None)
    for name, text in (("0.json", "{"), ("1.json", '{"sheet_sha256": 1.5}'), ("2.json", "[]")):
        (chain.folder / FOLDER / "pending" / name).write_text(text)
    assert await chain.seal() == 1
    assert len(list((chain.folder / FOLDER / "pending").glob("*.json"))) == 3


async def test_changed_or_missing_sheets_are_not_printed(chain: Chain) -> None:
    with pytest.raises(SheetError, match="holds no commissioning sheet"):
        printed_sheet(chain.folder, chain.store)
    kept = keep_sheet(chain.folder, FOUND, sheet_html(FOUND), None)
    await chain.seal()
    kept.path.write_bytes(kept.path.read_bytes() + b" ")
    with pytest.raises(SheetError, match="as sealed"):
        printed_sheet(chain.folder, chain.store)
    kept.path.unlink()
    with pytest.raises(SheetError, match="expected the sheet that the chain names"):
        printed_sheet(chain.folder, chain.store)


def test_an_earlier_pass_is_not_overwritten_by_a_walk_without_a_check(tmp_path: Path) -> None:
    passed = CraneFinding("crane-1", (), LOAD, True)
    keep_sheet(tmp_path, replace(FOUND, cranes=(passed,)), b"one", None)
    first = read_arming(tmp_path, ()).assets["crane-1"]
    kept = CraneFinding("crane-1", (), None, True, kept_from=first.sheet_sha256)
    keep_sheet(tmp_path, replace(FOUND, cranes=(kept,)), b"two", None)
    assert read_arming(tmp_path, ()).assets["crane-1"] == first


def test_the_page_is_the_same_for_the_same_findings_and_escapes_what_people_typed() -> None:
    page = sheet_html(FOUND)
    assert page == sheet_html(FOUND)
    text = page.decode()
    assert "<script>" not in text
    assert "工地&lt;甲&gt;" in text
    assert "+15.00 %" in text
    assert "http" not in text, "nothing is fetched from elsewhere"
