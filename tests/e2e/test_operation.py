"""Operating a running box: its rules are changed under way, a bad file is refused, a copy is taken and goes on."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.chain import ChainHead
from gateway.store.alert_store import open_for_reading
from tests.fakes.field_site import CRANE_RULE, FLOAT_KEYS, WORD_KEYS, crane_words, write_site
from tests.fakes.gateway_process import ROOT, GatewayProcess
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import free_port
from tests.fakes.ready_python import READY, run_ready
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.services
VALUES = dict.fromkeys((*FLOAT_KEYS, "tilt_deg", *WORD_KEYS), 1.0)


class Box:
    """A crane on libmodbus at 120 % of its moment, and the box that watches it."""

    def __init__(self, folder: Path, field: LibmodbusServer) -> None:
        port = free_port()
        self.field = field
        self.storage = folder / "box"
        self.site = write_site(folder, crane_port=field.port, broker_port=free_port(), web_port=port, uplinks=[])
        self.rules = folder / "rules" / "e2e.yaml"
        self.gateway = GatewayProcess(self.site, f"http://127.0.0.1:{port}", python=READY)

    def serve(self, moment_pct: float) -> None:
        self.field.set_registers(0, crane_words(VALUES | {"moment_pct": moment_pct}))

    def alarms(self) -> list[dict[str, Any]]:
        found = self.gateway.get("/api/alarms")["alarms"]
        return [alarm for alarm in found if alarm["rule_id"] == CRANE_RULE]

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = self.gateway.get("/api/health")
        return found

    def crane_polls(self) -> int:
        return int(next(link["polls"] for link in self.health()["links"] if link["device"] == "crane-1-host"))

    def set_limit(self, high: float) -> None:
        pack = yaml.safe_load(self.rules.read_text())
        pack["rules"][0]["high"] = high
        self.rules.write_text(yaml.safe_dump(pack))

    def reload(self) -> tuple[int, dict[str, Any]]:
        body = json.dumps({"user": "li", "reason": "new limit"}).encode()
        request = urllib.request.Request(
            f"{self.gateway.url}/api/reload", body, {"content-type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def records(self, kind: str) -> list[dict[str, Any]]:
        bodies = [json.loads(record.body) for record in open_for_reading(self.storage).all_evidence()]
        return [body["content"] for body in bodies if body["kind"] == kind]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with LibmodbusServer() as field:
        made = Box(tmp_path, field)
        made.serve(120.0)
        with made.gateway:
            wait_until(made.alarms, "the overload is on the list")
            yield made


def test_a_new_limit_is_in_force_at_the_next_sample_and_the_open_alarm_is_the_same_one(box: Box) -> None:
    (before,) = box.alarms()
    polls = box.crane_polls()
    box.set_limit(110)

    status, answer = box.reload()

    assert (status, answer["changed"]) == (200, True)
    (after,) = box.alarms()
    assert (after["alarm_id"], after["active"], after["limit"]) == (before["alarm_id"], True, 100.0)
    box.serve(105.0)
    wait_until(lambda: not box.alarms()[0]["active"], "105 % is normal under the new limit of 110 %")
    assert box.crane_polls() > polls, "the link was started anew"
    (record,) = box.records("config_changed")
    assert (record["user"], record["reason"]) == ("li", "new limit")
    assert record["rules_changed"]["names"] == [f"{CRANE_RULE} @ crane-1.moment_pct"]
    assert record["links_changed"]["count"] == 0
    assert record["old_settings_digest"] != record["new_settings_digest"] == box.health()["config"]["digest"]


def test_an_active_alarm_of_a_removed_rule_stays_on_the_list(box: Box) -> None:
    pack = yaml.safe_load(box.rules.read_text())
    pack["rules"] = pack["rules"][1:]
    box.rules.write_text(yaml.safe_dump(pack))

    status, _ = box.reload()

    assert status == 200
    (orphan,) = box.alarms()
    assert (orphan["active"], orphan["unknown"]) == (True, True)


def test_a_bad_file_is_refused_with_every_fault_and_the_running_settings_stay(box: Box) -> None:
    good = box.rules.read_text()
    digest = box.health()["config"]["digest"]
    pack = yaml.safe_load(good)
    pack["rules"][0] |= {"high": "a lot", "severity": "P9"}
    box.rules.write_text(yaml.safe_dump(pack))

    status, answer = box.reload()

    assert (status, answer["error"]["code"]) == (422, "config_refused")
    assert {fault["key"] for fault in answer["error"]["faults"]} == {"rules[0].high", "rules[0].severity"}
    config = box.health()["config"]
    assert (config["digest"], config["message_en"]) == (digest, "running config differs from file")
    assert len(config["faults"]) == 2
    assert "event=config_refused" in box.gateway.log.read_text()
    box.rules.write_text(good)
    assert box.reload() == (200, {"changed": False, "evidence_seq": 0, "changes": {}})
    assert not box.health()["config"]["differs_from_file"]


def test_a_section_that_needs_a_restart_is_refused_by_name(box: Box) -> None:
    site = yaml.safe_load(box.site.read_text())
    site["web"]["port"] = free_port()
    site["storage"]["reserve_mib"] = 2
    box.site.write_text(yaml.safe_dump(site))

    status, answer = box.reload()

    assert (status, answer["error"]["code"]) == (409, "needs_restart")
    assert answer["error"]["sections"] == ["storage", "web"]


def test_sighup_with_a_new_crane_in_front_keeps_the_connection_and_every_value_on_its_point(box: Box) -> None:
    box.serve(95.5)
    polls = box.crane_polls()
    site = yaml.safe_load(box.site.read_text())
    with LibmodbusServer() as second:
        second.set_registers(0, crane_words(VALUES | {"moment_pct": 33.25}))
        site["assets"].insert(0, site["assets"][0] | {"id": "crane-0", "serial": "TC-0"})
        site["links"].insert(0, site["links"][0] | {"id": "crane-0-tcp", "port": second.port})
        site["devices"].insert(
            0, site["devices"][0] | {"id": "crane-0-host", "link": "crane-0-tcp", "asset": "crane-0"}
        )
        box.site.write_text(yaml.safe_dump(site))

        os.kill(box.gateway.pid, signal.SIGHUP)

        def values() -> dict[str, float]:
            return {point["point_id"]: point["value"] for point in box.gateway.get("/api/points")["points"]}

        wait_until(lambda: values().get("crane-0.moment_pct") == 33.25, "the new crane is read")
        wait_until(lambda: values()["crane-1.moment_pct"] == 95.5, "the old crane's value is on its own point")
        assert box.crane_polls() > polls, "the old link was started anew"
        wait_until(lambda: box.records("config_changed"), "the change is sealed")
        (record,) = box.records("config_changed")
        assert (record["user"], record["links_added"]["names"]) == ("SIGHUP", ["crane-0-tcp"])
        site["assets"].pop(0), site["links"].pop(0), site["devices"].pop(0)
        box.site.write_text(yaml.safe_dump(site))
        assert box.reload()[0] == 200
        assert "crane-0.moment_pct" not in values()
        box.serve(44.0)
        wait_until(lambda: values()["crane-1.moment_pct"] == 44.0, "the old crane is still read")
        assert box.gateway.get("/readyz")["ready"]


def sitewarden(*arguments: object) -> str:
    """One command, which must end well; what it printed."""
    done = run_ready("sitewarden", *map(str, arguments))
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stdout.decode()


def test_a_copy_taken_while_the_box_runs_is_put_to_work_and_goes_on_with_the_chain(box: Box, tmp_path: Path) -> None:
    sitewarden("backup", box.site, "--to", tmp_path / "copy.tar.gz")
    (alarm,) = box.alarms()
    box.gateway.stop()

    sitewarden("restore", tmp_path / "copy.tar.gz", "--to", tmp_path / "restored")
    before = open_for_reading(tmp_path / "restored").verify()
    site = yaml.safe_load(box.site.read_text())
    site["storage"]["folder"] = str(tmp_path / "restored")
    box.site.write_text(yaml.safe_dump(site))
    box.gateway.start()

    assert [found["alarm_id"] for found in box.alarms()] == [alarm["alarm_id"]]
    box.serve(50.0)
    wait_until(lambda: not box.alarms()[0]["active"], "the restored box judges the field")
    box.gateway.stop()
    after = open_for_reading(tmp_path / "restored").verify()
    assert isinstance(before, ChainHead)
    assert isinstance(after, ChainHead)
    assert after.seq > before.seq
    assert open_for_reading(box.storage).verify() != after


def test_the_log_goes_to_a_bounded_file_when_asked(box: Box, tmp_path: Path) -> None:
    box.gateway.stop()
    log = tmp_path / "logs" / "box.log"
    command = [sys.executable, "-m", "sitewarden", "run", str(box.site), "--log-file", str(log), "--log-max-mib", "1"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: log.exists() and "event=started" in log.read_text(), "the log file tells of the start", 30)
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=30)
    assert [line for line in errors.splitlines() if not line.startswith("Sitewarden: no account yet.")] == []
