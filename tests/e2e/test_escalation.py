"""Nobody answers a grave alarm: the receiver that the site names is told, once, and the chain holds it."""

import json
from pathlib import Path

import pytest
import yaml

from contract.chain import ChainHead
from contract.client import BoxClient
from gateway.store.alert_store import open_for_reading
from tests.fakes.field_site import FLOAT_KEYS, crane_words, write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import free_port
from tests.fakes.ready_python import READY
from tests.fakes.waiting import wait_until

SECRET = "sixteen letters or more"
OVERLOAD = dict.fromkeys(FLOAT_KEYS, 1.0) | {"moment_pct": 120.0, "tilt_deg": 0.0}
WORDS = crane_words(OVERLOAD | {"multiple": 2.0, "motor": 1.0, "work_status": 1.0})


def _site(folder: Path, crane_port: int, receiver: str, web_port: int) -> Path:
    (folder / "secret").write_text(SECRET)
    crew = {"name": "crew", "kind": "webhook", "url": receiver, "secret": {"file": str(folder / "secret")}}
    path = write_site(folder, crane_port=crane_port, broker_port=free_port(), web_port=web_port, uplinks=[crew])
    site = yaml.safe_load(path.read_text())
    site["escalation"] = {"uplinks": ["crew"], "p1_after_s": 1, "no_screen_after_s": 2}
    path.write_text(yaml.safe_dump(site, allow_unicode=True))
    return path


@pytest.mark.services
def test_a_grave_alarm_that_nobody_answers_reaches_the_named_receiver_once(tmp_path: Path) -> None:
    with LibmodbusServer(1, 40) as field, HttpReplies([Reply(200)]) as receiver:
        field.set_registers(0, WORDS)
        web_port = free_port()
        site = _site(tmp_path, field.port, f"{receiver.url}/alarm", web_port)

        def told() -> list[str]:
            bodies = [json.loads(r.body) for r in receiver.requests if r.headers["X-Sitewarden-Kind"] == "escalation"]
            return [body["because"] for body in bodies]

        with GatewayProcess(site, f"http://127.0.0.1:{web_port}", python=READY) as gateway:
            wait_until(lambda: len(told()) == 2, "both escalations")
            (alarm,) = [a for a in gateway.get("/api/alarms")["alarms"] if a["severity"] == "P1"]
            assert alarm["escalated"] == ["unacknowledged 1 s", "no screen listening"]
            with BoxClient(gateway.url) as box:
                done = box.acknowledge(alarm["alarm_id"], "li", "seen")
            wait_until(lambda: gateway.metric("sitewarden_messages_pending") == 0, "everything told")
            gateway.kill()
            gateway.start()
            (alarm,) = [a for a in gateway.get("/api/alarms")["alarms"] if a["severity"] == "P1"]
            assert (alarm["acknowledged"], len(alarm["escalated"])) == (True, 2)
        assert told() == ["unacknowledged 1 s", "no screen listening"]
        chain = open_for_reading(tmp_path / "box")
        kinds = [record.kind for record in chain.all_evidence()]
        assert kinds.count("escalation") == 2
        assert kinds[done - 1] == "alarm_transition"
        assert isinstance(chain.verify(), ChainHead)
