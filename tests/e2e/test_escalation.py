"""Nobody answers a grave alarm: the receiver that the site names is told, once, and the chain holds it."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.chain import ChainHead
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


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        answer: dict[str, Any] = json.load(reply)
    return answer


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
            done = _post(f"{gateway.url}/api/alarms/{alarm['alarm_id']}/acknowledge", {"user": "li", "reason": "seen"})
            wait_until(lambda: gateway.metric("sitewarden_messages_pending") == 0, "everything told")
            gateway.kill()
            gateway.start()
            (alarm,) = [a for a in gateway.get("/api/alarms")["alarms"] if a["severity"] == "P1"]
            assert (alarm["acknowledged"], len(alarm["escalated"])) == (True, 2)
        assert told() == ["unacknowledged 1 s", "no screen listening"]
        chain = open_for_reading(tmp_path / "box")
        kinds = [record.kind for record in chain.all_evidence()]
        assert kinds.count("escalation") == 2
        assert kinds[done["evidence_seq"] - 1] == "alarm_transition"
        assert isinstance(chain.verify(), ChainHead)
