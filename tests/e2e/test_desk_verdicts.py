"""A verdict all the way: from a reviewer's key at the desk into the chain of the box that raised the alarm.

The desk and the gateway are the real programs, in their own processes and threads; only the field is away.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from gateway.line.desk_verdicts import DeskVerdict, FalseReason, JudgedAlarm, verdicts
from gateway.store.alarm_reader import AlarmReader
from gateway.store.alert_store import open_for_reading
from regulator.base.model.actor import Duty
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import projects
from regulator.parts.review.funnel import Stage
from regulator.parts.review.items import AlarmFacts, enqueue_all, item_id_of
from tests.fakes.desk_face import DeskFace
from tests.fakes.field_site import write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.mosquitto import free_port
from tests.fakes.ready_python import READY
from tests.fakes.waiting import wait_until

BOX, PROJECT, ALARM = "e2e-box", "E2E-1", "e2e-box-000007"
WITHIN_S = 90


@dataclass
class Site:
    """One desk, one box, and an item of a camera's alarm at the desk."""

    face: DeskFace
    gateway: GatewayProcess
    data: Path

    def queue(self, alarm_id: str) -> str:
        """What the box's camera alarm made at the desk; the item's id."""
        now_ns = time.time_ns()
        camera = ("vision.bare_head", "P1", "cam-1.bare_head_1", "cam-1", "camera-post")
        with self.face.database.transaction() as db:
            facts = AlarmFacts(PROJECT, BOX, alarm_id, *camera, now_ns, suspected_major=False)
            enqueue_all(db, self.face.desk.ledger, [(facts, Stage.PRIORITY)], now_ns)
        return item_id_of(BOX, alarm_id)

    def judge(self, item: str, **said: str) -> None:
        """As the page does; it stands at once, as when an order follows."""
        page = f"/review/items/{item}"
        answer = self.face.client(Duty.REVIEWER).submit(page, f"{page}/verdict", order="1", **said)
        assert answer.status_code in (200, 303), answer.text

    def known(self) -> dict[str, JudgedAlarm]:
        """What the box's own chain holds."""
        return verdicts(AlarmReader(self.data / "alerts.db"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    port = free_port()
    with DeskFace(tmp_path / "desk", time.time_ns) as face:
        with face.database.transaction() as db:
            db.execute(insert(projects).values(project_code=PROJECT, name="一号工地", city_code="4401"))
        code = tmp_path / "code"
        code.write_text(face.code_for(BOX, PROJECT))
        uplink = {"name": "regulator", "kind": "regulator", "url": face.url, "enrol_code": {"file": str(code)}}
        uplink |= {"heartbeat_s": 0.5, "mailbox_wait_s": 1}
        ports = {"crane_port": free_port(), "broker_port": free_port(), "web_port": port}
        file = write_site(tmp_path, **ports, uplinks=[uplink])
        with GatewayProcess(file, f"http://127.0.0.1:{port}", python=READY) as gateway:
            made = Site(face, gateway, tmp_path / "box")

            def enrolled() -> bool:
                with face.database.reading() as db:
                    return db.scalar(select(boxes.c.box_id)) is not None

            wait_until(enrolled, "the box enrols", WITHIN_S)
            yield made


def test_a_verdict_reaches_the_box_once_and_is_sealed_there(site: Site) -> None:
    site.judge(site.queue(ALARM), verdict="false", reason="5")
    wait_until(lambda: ALARM in site.known(), "the box hears the verdict", WITHIN_S)
    judged = site.known()[ALARM]
    assert (judged.verdict, judged.reason) == (DeskVerdict.FALSE, FalseReason.HELMET_WORN)
    site.judge(site.queue("e2e-box-000008"), verdict="false", reason="4")
    wait_until(lambda: len(site.known()) == 2, "the box hears the next one", WITHIN_S)
    chain = open_for_reading(site.data)
    sealed = [record for record in chain.all_evidence() if record.alarm_id.startswith("verdict:")]
    assert [record.alarm_id for record in sealed] == [f"verdict:{ALARM}", "verdict:e2e-box-000008"]
    assert not hasattr(chain.verify(), "reason")
