"""A stop while every receiver takes what it is sent and never answers: soon over, and polled until the end."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.evidence.evidence import RecordKind
from gateway.settings import load
from gateway.store.alert_store import open_for_reading
from gateway.store.history_reader import HistoryReader
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.black_hole import BlackHole
from tests.fakes.field_site import crane_words, write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.influxdb import free_port
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.ready_python import READY
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.alone

KEYS = ("load_t", "rated_t", "radius_m", "hook_m", "crane_h_m", "slew_deg", "wind_ms", "tilt_deg", "multiple", "motor")
OVER = dict.fromkeys((*KEYS, "work_status"), 1.0) | {"moment_pct": 120.0}
STOP_WITHIN_S = 5.0
SECOND_NS = 1_000_000_000


def _uplinks(folder: Path, port: int) -> list[dict[str, Any]]:
    (folder / "code").write_text("a-code-that-nobody-takes")
    (folder / "secret").write_text("a-secret-of-this-webhook")
    url = f"http://127.0.0.1:{port}"
    return [
        {"name": "influx", "kind": "influx", "url": url, "org": "o", "bucket": "b"},
        {"name": "desk", "kind": "regulator", "url": url, "enrol_code": {"file": str(folder / "code")}},
        {"name": "crew", "kind": "webhook", "url": f"{url}/hook", "secret": {"file": str(folder / "secret")}},
        {"name": "broker", "kind": "mqtt", "host": "127.0.0.1", "port": port, "topic_prefix": "site"},
    ]


def test_a_stop_with_receivers_that_never_answer_is_soon_over_and_polls_until_the_end(tmp_path: Path) -> None:
    port = free_port()
    with LibmodbusServer(1, 40) as field, BlackHole() as hole:
        field.set_registers(0, crane_words(OVER))
        uplinks = _uplinks(tmp_path, hole.port)
        site = write_site(tmp_path, crane_port=field.port, broker_port=free_port(), web_port=port, uplinks=uplinks)
        with GatewayProcess(site, f"http://127.0.0.1:{port}", python=READY) as gateway:
            wait_until(lambda: gateway.metric("sitewarden_polls") >= 20, "some polls")
            wait_until(lambda: hole.heard_bytes > 0, "something sent")
            stop_ns, began = time.time_ns(), time.monotonic()
            gateway.stop()
            took_s = time.monotonic() - began
    records = open_for_reading(tmp_path / "box").all_evidence()
    (stopped,) = [each for each in records if each.kind == RecordKind.STOPPED]
    with closing(HistoryReader(tmp_path / "box" / "history.db", load(site, DRIVERS, UPLINKS, KINDS).points)) as reader:
        last_ns = reader.last_sample_ns()
    assert took_s <= STOP_WITHIN_S
    assert last_ns > stop_ns + SECOND_NS, "polled while what waits is sent"
    assert stopped.at_ns - last_ns < SECOND_NS
    with closing(sqlite3.connect(f"file:{tmp_path / 'box' / 'alerts.db'}?mode=ro", uri=True)) as db:
        waiting = {row[0] for row in db.execute("SELECT uplink FROM outbox WHERE state = 'pending'")}
    assert {"desk", "crew", "broker"} <= waiting, "what nobody took is sent after the next start"
