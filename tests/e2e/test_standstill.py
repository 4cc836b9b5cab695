"""A box that is stopped for three seconds, as a suspend or a swap storm does, admits the hole."""

import json
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from gateway.line.clock_state import clock_state
from gateway.model.reading import BAD
from gateway.settings import load
from gateway.store.history_reader import HistoryReader
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.field_site import crane_words, write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.influxdb import free_port
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.ready_python import READY
from tests.fakes.waiting import wait_until

KEYS = ("load_t", "rated_t", "radius_m", "hook_m", "crane_h_m", "slew_deg", "wind_ms", "tilt_deg", "multiple", "motor")
CALM = dict.fromkeys((*KEYS, "work_status"), 1.0) | {"moment_pct": 50.0}
STOPPED_S = 3.0


def _records(folder: Path, kind: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{folder / 'alerts.db'}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT body FROM evidence WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
    return [json.loads(row[0])["content"] for row in rows]


def _gaps(folder: Path) -> list[dict[str, Any]]:
    return _records(folder, "history_gap")


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_three_seconds_of_sigstop_are_in_the_record_and_unknown_in_the_history(tmp_path: Path) -> None:
    port = free_port()
    with LibmodbusServer(1, 40) as field:
        field.set_registers(0, crane_words(CALM))
        site = write_site(tmp_path, crane_port=field.port, broker_port=free_port(), web_port=port, uplinks=[])
        with GatewayProcess(site, f"http://127.0.0.1:{port}", python=READY) as gateway:
            wait_until(lambda: gateway.metric("sitewarden_polls") >= 10, "some polls")
            before = _gaps(tmp_path / "box")
            gateway.signal(signal.SIGSTOP)
            wait_until(lambda: _state(gateway.pid) == "T", "stopped")
            stopped_ns = time.time_ns()
            goes_on = time.monotonic() + STOPPED_S
            wait_until(lambda: time.monotonic() >= goes_on, "the stop", STOPPED_S + 10)
            went_on_ns = time.time_ns()
            gateway.signal(signal.SIGCONT)
            wait_until(lambda: len(_gaps(tmp_path / "box")) > len(before), "the hole in the record")
            hole = max(_gaps(tmp_path / "box"), key=lambda gap: gap["to_ns"] - gap["from_ns"])
            polls = gateway.metric("sitewarden_polls")
            wait_until(lambda: gateway.metric("sitewarden_polls") > polls, "polled again")
        assert hole["devices"] == ["crane-1-host"]
        assert hole["reason"] == "the box stood still: nothing was polled or judged"
        assert hole["from_ns"] <= stopped_ns
        assert hole["to_ns"] >= went_on_ns
    (started,) = _records(tmp_path / "box", "gateway_started")
    assert started["clock"] == clock_state().sync, "whether the times from here on are to be trusted"
    reader = HistoryReader(tmp_path / "box" / "history.db", load(site, DRIVERS, UPLINKS, KINDS).points)
    with closing(reader):
        blocks = [
            each for each in reader.blocks_by_time(hole["from_ns"], hole["to_ns"]) if each.device in hole["devices"]
        ]
        times = np.concatenate([block.observed_at_ns for block in blocks])
        quality = np.concatenate([block.quality for block in blocks])
    within = (times >= hole["from_ns"]) & (times <= hole["to_ns"])
    assert {hole["from_ns"], hole["to_ns"]} <= set(times[within].tolist())
    stopped = (times > stopped_ns) & (times <= went_on_ns)
    assert (quality[stopped] == BAD).all(), "nothing that was not read is there"
