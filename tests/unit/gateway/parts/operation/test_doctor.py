import asyncio
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from contract.chain import ChainHead
from contract.envelope import sign_text
from contract.keyfile import load_or_create
from contract.messages import ChainCheckpoint
from contract.signing import generate_key
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry
from gateway.parts.operation.doctor import Check, Level, examine, run_doctor
from gateway.settings import load
from gateway.store.alert_store import Commit, Message, open_for_reading
from gateway.store.last_known import LastKnown, remember
from gateway.store.receipts import Proof, ProofKind, ReceiptStore, receipts_path
from gateway.tls.folder import TlsFolder
from gateway.tls.names import parse_names
from kit.clock import SimulatedClock
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.field_site import write_site
from tests.fakes.mosquitto import free_port
from tests.fakes.site import NOW_NS, SECOND_NS, Site, points, threshold
from tests.fakes.sm2_keys import needs_sm2

REGULATOR = {"name": "desk", "kind": "regulator", "enrol_code": {"env": "SITEWARDEN_NO_CODE"}}


class Ward:
    """A site whose links lead to `port`, and what the doctor says of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.storage, self.clock = folder, folder / "box", SimulatedClock(NOW_NS + 60 * SECOND_NS)
        uplinks = [REGULATOR | {"url": f"http://127.0.0.1:{port}"}]
        self.site = write_site(folder, crane_port=port, broker_port=port, web_port=8080, uplinks=uplinks)

    def examine(self) -> list[Check]:
        return examine(lambda: load(self.site, DRIVERS, UPLINKS, KINDS), self.clock)

    def level(self, name: str) -> Level:
        return self.find(name).level

    def find(self, name: str) -> Check:
        (found,) = [check for check in self.examine() if check.name == name]
        return found


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Ward(tmp_path, server.getsockname()[1])


async def run_box(ward: Ward, *kinds: RecordKind) -> None:
    """A box that ran in this folder and sealed these records."""
    site = Site(ward.storage, points(), [threshold()])
    site.start()
    for kind in kinds:
        await site.recorder.record(Entry(kind, site.clock.now_ns(), {}))
    await site.stop()


async def test_a_healthy_box_has_no_problem(ward: Ward) -> None:
    await run_box(ward, RecordKind.STARTED, RecordKind.STOPPED)
    checks = ward.examine()
    assert [check for check in checks if check.level is Level.PROBLEM] == []
    names = {check.name for check in checks}
    assert names >= {"config", "folder", "disk", "reserve", "database alerts.db", "database history.db", "chain"}
    assert names >= {"clock", "stops", "link crane-tcp", "link broker", "uplink desk", "uplink desk enrolment"}
    assert "unknown offline" in ward.find("clock").text_en


def test_every_fault_of_the_site_file_is_told_and_nothing_else_is_tried(ward: Ward) -> None:
    site = yaml.safe_load(ward.site.read_text())
    site["box"]["id"] = "No Name!"
    site["storage"]["reserve_mib"] = 0
    ward.site.write_text(yaml.safe_dump(site))
    assert {check.name for check in ward.examine()} == {"config"}
    assert len(ward.examine()) == 2


def test_what_nobody_listens_on_is_named_with_its_address(tmp_path: Path) -> None:
    port = free_port()
    ward = Ward(tmp_path, port)
    for name in ("link crane-tcp", "link broker", "uplink desk"):
        check = ward.find(name)
        assert check.level is Level.PROBLEM
        assert f"127.0.0.1:{port}" in check.text_en


async def test_a_chain_that_was_edited_is_a_problem_that_names_the_record(ward: Ward) -> None:
    await run_box(ward, RecordKind.STARTED, RecordKind.STOPPED)
    content = (ward.storage / "alerts.db").read_bytes()
    (ward.storage / "alerts.db").write_bytes(content.replace(b'"kind":"gateway_stopped"', b'"kind":"gateway_stoqqed"'))
    check = ward.find("chain")
    assert (check.level, check.text_en) == (
        Level.PROBLEM,
        "broken at record 2: the body does not match its digest",
    )


async def test_a_damaged_database_is_a_problem(ward: Ward) -> None:
    await run_box(ward, RecordKind.STARTED)
    (ward.storage / "history.db").write_bytes(b"no database at all" * 100)
    assert ward.level("database history.db") is Level.PROBLEM
    assert ward.level("database alerts.db") is Level.OK


async def test_a_clock_behind_the_last_record_was_set_back(ward: Ward) -> None:
    await run_box(ward, RecordKind.STARTED)
    ward.clock.step_wall(-3600.0)
    check = ward.find("clock")
    assert check.level is Level.PROBLEM
    assert "3540 s behind the last record" in check.text_en


async def test_unclean_stops_jumps_and_gaps_of_the_last_month_are_counted(ward: Ward) -> None:
    kinds = [RecordKind.STARTED] * 3 + [RecordKind.HISTORY_GAP, RecordKind.CLOCK_JUMP, RecordKind.CLOCK_JUMP]
    await run_box(ward, *kinds)
    assert ward.find("stops").text_en.startswith("in 30 days: at least 2 unclean stops, 1 history gaps")
    assert ward.find("clock").text_en.endswith("2 jumps in 30 days")
    ward.clock.step_wall(31 * 86_400.0)
    assert "0 unclean stops, 0 history gaps" in ward.find("stops").text_en


async def test_a_backlog_and_an_enrolment_are_told(ward: Ward) -> None:
    site = Site(ward.storage, points(), [threshold()])
    messages = [Message("desk", f"m{i}", "evidence_record", b"{}", 1) for i in range(3)]
    site.alerts.commit(Commit(site.clock.now_ns(), messages=messages)).result()
    site.close()
    assert ward.find("backlog desk").text_en == "3 rows wait, the oldest for 60 s"
    assert ward.level("uplink desk enrolment") is Level.NOTE
    memory = ward.storage / "uplinks" / "desk" / "regulator.json"
    memory.parent.mkdir(parents=True)
    memory.write_text(json.dumps({"regulator_keys": [{"key_id": "k"}]}))
    assert ward.level("uplink desk enrolment") is Level.OK
    memory.write_text("not json")
    assert ward.level("uplink desk enrolment") is Level.PROBLEM


def test_a_key_that_others_may_read_and_a_folder_that_anyone_may_write(ward: Ward) -> None:
    (ward.storage / "keys").mkdir(parents=True)
    key = ward.storage / "keys" / "desk.pem"
    load_or_create(key)
    assert ward.level("key desk.pem") is Level.OK
    key.chmod(0o640)
    assert ward.level("key desk.pem") is Level.PROBLEM
    ward.storage.chmod(0o777)
    assert ward.level("folder") is Level.PROBLEM


def test_the_exit_status_and_both_forms_of_the_report() -> None:
    good = Check("disk", Level.OK, "好", "fine")
    bad = Check("chain", Level.PROBLEM, "断裂", "broken")
    said: list[str] = []
    assert run_doctor([good], False, said.append) == 0
    assert run_doctor([good, bad], False, said.append) == 1
    assert said[-1] == "2 项检查，1 处问题 / 2 checks, 1 problems"
    assert "problem chain: 断裂 / broken" in said
    said.clear()
    assert run_doctor([good, bad], True, said.append) == 1
    assert [row["level"] for row in json.loads(said[0])] == ["ok", "problem"]


def test_the_pages_certificate_and_its_keys_are_looked_at(ward: Ward) -> None:
    tls = TlsFolder(ward.folder / "tls")
    now = datetime.fromtimestamp(ward.clock.now_ns() / 1e9, UTC)
    tls.init("box-1", parse_names(["box.local"], []), now - timedelta(days=376))
    tls.ca_key.chmod(0o640)
    site = yaml.safe_load(ward.site.read_text())
    site["web"]["tls"] = {"folder": str(tls.path)}
    ward.site.write_text(yaml.safe_dump(site))
    assert (ward.level("certificate server.pem"), ward.level("certificate ca.crt")) == (Level.NOTE, Level.OK)
    assert (ward.level("key server.pem"), ward.level("key ca.key")) == (Level.OK, Level.PROBLEM)
    tls.server_file.unlink()
    assert ward.level("certificate server.pem") is Level.PROBLEM


@pytest.mark.parametrize("alg", ["Ed25519", pytest.param("SM2", marks=needs_sm2)])
async def test_a_damaged_key_is_a_problem(ward: Ward, alg: str) -> None:
    await run_box(ward)
    key = ward.storage / "keys" / "desk.pem"
    load_or_create(key, alg)
    assert ward.level("key desk.pem") is Level.OK
    key.write_bytes(key.read_bytes()[:60])
    assert ward.level("key desk.pem") is Level.PROBLEM
    assert run_doctor(ward.examine(), False, lambda _: None) == 1


async def test_a_store_that_is_gone_is_a_problem(ward: Ward) -> None:
    await run_box(ward, RecordKind.STARTED)
    remember(ward.storage, LastKnown(1, "f" * 64, 9, NOW_NS))
    (ward.storage / "history.db").unlink()
    assert ward.level("store history.db") is Level.PROBLEM
    assert ward.level("store alerts.db") is Level.PROBLEM, "record 1 is another"


async def test_a_store_that_was_lost_stays_a_problem_for_a_month(ward: Ward) -> None:
    await run_box(ward, RecordKind.STORE_LOST)
    assert ward.level("stores") is Level.PROBLEM


async def test_a_record_that_is_not_as_the_desk_signed_it_is_a_problem(ward: Ward) -> None:
    await run_box(ward, RecordKind.STARTED)
    head = open_for_reading(ward.storage).verify()
    assert isinstance(head, ChainHead)
    await keep_checkpoint(ward, head)
    assert ward.level("receipts desk") is Level.OK
    await keep_checkpoint(ward, ChainHead(1, "f" * 64))
    found = ward.find("receipts desk")
    assert found.level is Level.PROBLEM
    assert "record 1 was rewritten: the checkpoint signed by desk names another digest" in found.text_en
    assert "第 1 条被改写：desk 签名的检查点所载摘要不同" in found.text_zh


async def keep_checkpoint(ward: Ward, head: ChainHead) -> None:
    key = generate_key()
    signed = sign_text(ChainCheckpoint(box_id="e2e-box", seq=head.seq, sha256=head.sha256, at_ns=NOW_NS), key)
    store = ReceiptStore(receipts_path(ward.storage, "desk"))
    await asyncio.wrap_future(store.keep(Proof(ProofKind.CHECKPOINT, head.seq, signed, key.public)))
    store.close()
