"""A rule pack all the way: from a form at the desk into what a box's own process judges by, and back as its word.

The desk and the gateway are the real programs; only the field is away.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from contract.packs import pack_sha256
from regulator.base.model.actor import Duty
from regulator.base.records.tables.fleet import box_states, pack_offers
from tests.fakes.desk_face import DeskFace
from tests.fakes.field_site import write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.mosquitto import free_port
from tests.fakes.ready_python import READY
from tests.fakes.waiting import wait_until

BOX = "e2e-box"
WITHIN_S = 60


@dataclass
class Fleet:
    """One desk and one box."""

    face: DeskFace
    gateway: GatewayProcess

    def offer(self, files: dict[str, str]) -> str:
        """Handed in by one person, offered by another; the digest."""
        uploads = [("files", (name, text.encode(), "application/yaml")) for name, text in files.items()]
        self.face.client(Duty.ADMINISTRATOR).submit("/fleet/packs", "/fleet/packs/import", files=uploads, note="试验")
        page = f"/fleet/packs/{pack_sha256(files)}"
        answer = self.face.client(Duty.APPROVER).submit(page, f"{page}/offer", box=BOX, reason="试验")
        assert answer.status_code == 303, answer.text
        return pack_sha256(files)

    def outcome(self, sha256: str) -> Any:
        """What the box answered last about a pack; None while it has not."""
        at = pack_offers.c
        with self.face.database.reading() as db:
            wanted = select(pack_offers).where(at.sha256 == sha256, at.outcome != "")
            return db.execute(wanted.order_by(at.offered_at_ns.desc())).first()

    def in_force(self) -> str:
        """What the box said last of what it judges by."""
        with self.face.database.reading() as db:
            return str(db.scalar(select(box_states.c.body)) or "")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    port = free_port()
    with DeskFace(tmp_path / "desk", time.time_ns) as face:
        code = tmp_path / "code"
        code.write_text(face.code_for(BOX, "E2E-1"))
        uplink = {"name": "regulator", "kind": "regulator", "url": face.url, "enrol_code": {"file": str(code)}}
        uplink |= {"heartbeat_s": 0.5, "mailbox_wait_s": 1}
        ports = {"crane_port": free_port(), "broker_port": free_port(), "web_port": port}
        site = write_site(tmp_path, **ports, uplinks=[uplink])
        with GatewayProcess(site, f"http://127.0.0.1:{port}", python=READY) as gateway:
            fleet = Fleet(face, gateway)
            wait_until(lambda: fleet.in_force() != "", "the box says what it is", WITHIN_S)
            yield fleet


def pack(**changes: Any) -> dict[str, str]:
    rule = {"id": "county.moment", "family": "threshold", "kind": "tower-crane", "key": "moment_pct", "high": 90}
    words = {"severity": "P2", "reportable": True, "title_zh": "县限值", "title_en": "County limit"}
    source = {"limit_source": "local_code", "clause": "made for the test", "certainty": "M-L"}
    said = {"version": 1, "pack": "county", "title_zh": "县", "title_en": "County", "rules": [rule | words | source]}
    return {"county.yaml": yaml.safe_dump(said | changes, allow_unicode=True)}


def test_a_pack_goes_into_force_a_wrong_one_does_not_and_the_box_judges_on(fleet: Fleet) -> None:
    good = fleet.offer(pack())
    wait_until(lambda: fleet.outcome(good) is not None, "the box answers", WITHIN_S)
    assert fleet.outcome(good).outcome == "active"
    wait_until(lambda: good in fleet.in_force(), "the box judges by it", WITHIN_S)
    wrong = fleet.offer(pack(rules=[{"id": "county.moment", "family": "telepathy"}]))
    wait_until(lambda: fleet.outcome(wrong) is not None, "the box answers", WITHIN_S)
    refused = fleet.outcome(wrong)
    assert (refused.outcome, "telepathy" in refused.words_zh) == ("refused", True)
    assert good in fleet.in_force()
    page = fleet.face.client(Duty.APPROVER).get("/fleet").text
    assert "county：下发的版本未生效" in page
    assert fleet.gateway.get("/api/health")["config"]["differs_from_file"] is False
