"""One register and one message all the way: what the servers hold equals what was served, value by value.

libmodbus serves, Mosquitto carries, InfluxDB and the regulator hold; the gateway is its own process between them.
"""

import json
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from contract.chain import ChainHead
from gateway.store.alert_store import open_for_reading
from tests.fakes.field_site import CRANE_RULE, FLOAT_KEYS, WORD_KEYS, crane_words, write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.influxdb import InfluxServer
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import Mosquitto, free_port
from tests.fakes.regulator import FakeRegulator
from tests.fakes.waiting import wait_until

MOMENTS = (50.0, 62.5, 99.75, 117.25, 80.0, 40.5, 131.5, 55.0)
MESSAGES = 200
FIRST_MS = 1_790_000_000_000
KEYS = (*FLOAT_KEYS, "tilt_deg", *WORD_KEYS)


def served_values(step: int) -> dict[str, float]:
    """Different in every field at every step, and exact as float32."""
    values = {key: 1.0 + step + i / 8 for i, key in enumerate(FLOAT_KEYS)}
    return values | {
        "moment_pct": MOMENTS[step],
        "tilt_deg": round(-1.5 + step * 0.25, 2),
        "multiple": 2.0 + step,
        "motor": float(step % 2),
        "work_status": float(step % 2),
    }


def served_message(number: int) -> dict[str, Any]:
    return {
        "DataTimeStamp": FIRST_MS - 1000 * MESSAGES + 7 * number,
        "WindSpeed": 0.1 + number / 7,
        "WindDirection": number % 360,
        "Temperature": -5.25 + number / 16,
        "Humidity": 40 + number / 64,
    }


def publish(port: int) -> None:
    """All messages, QoS 1, each acknowledged by the broker."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="station", protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = [client.publish("site/E2E-1/mast-1/realtime", json.dumps(served_message(i)), qos=1) for i in range(MESSAGES)]
    for message in sent:
        message.wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


@pytest.mark.services
def test_what_is_held_equals_what_was_served(tmp_path: Path) -> None:
    with (
        LibmodbusServer(1, 40) as field,
        Mosquitto() as broker,
        InfluxServer() as influx,
        FakeRegulator(tmp_path) as regulator,
    ):
        field.set_registers(0, crane_words(served_values(0)))
        (tmp_path / "code").write_text(regulator.code_for("e2e-box", "E2E-1"))
        web_port = free_port()
        uplinks = [
            {"name": "influx", "kind": "influx", "url": influx.url, "org": "o", "bucket": influx.bucket},
            {"name": "desk", "kind": "regulator", "url": regulator.url, "enrol_code": {"file": str(tmp_path / "code")}},
        ]
        site = write_site(tmp_path, crane_port=field.port, broker_port=broker.port, web_port=web_port, uplinks=uplinks)
        with GatewayProcess(site, f"http://127.0.0.1:{web_port}") as gateway:
            wait_until(lambda: gateway.metric("sitewarden_link_up") == 1, "the crane read")
            broker.wait_for_log("Sending SUBACK")
            station = threading.Thread(target=publish, args=(broker.port,))
            station.start()
            serve_steps(field)
            station.join(30)
            wait_until(lambda: influx.count("env", "wind") == MESSAGES, "every message in InfluxDB")
            polls_asked = field.requests()[3]
        assert_crane_rows(influx, polls_asked, field.requests()[3])
        assert_mast_rows(influx)
        assert_alerts(regulator)
    assert isinstance(open_for_reading(tmp_path / "box").verify(), ChainHead)


def serve_steps(field: LibmodbusServer) -> None:
    """Each step stays until it has been read at least three times."""
    for step in range(len(MOMENTS)):
        field.set_registers(0, crane_words(served_values(step)))
        before = field.requests().get(3, 0)
        wait_until(lambda before=before: field.requests().get(3, 0) >= before + 3, f"three polls of step {step}")


def assert_crane_rows(influx: InfluxServer, asked_before: int, asked_in_all: int) -> None:
    rows = influx.query('SELECT * FROM "crane_rt" ORDER BY time')
    assert asked_before <= len(rows) <= asked_in_all
    assert asked_in_all - len(rows) <= 1, "at most the poll that was in flight at the stop may be missing"
    steps = []
    for row in rows:
        found = {key: row[key] for key in KEYS}
        steps += [step for step in range(len(MOMENTS)) if served_values(step) == found]
        assert row["q"] == 0
        assert (row["project"], row["crane_sn"]) == ("E2E-1", "TC-1")
    assert len(steps) == len(rows), "every row equals one image that was served"
    assert steps == sorted(steps)
    assert set(steps) == set(range(len(MOMENTS)))


def assert_mast_rows(influx: InfluxServer) -> None:
    rows = influx.query('SELECT * FROM "env" ORDER BY time')
    found = {row["time"]: (row["wind"], row["wind_direction_deg"], row["temp"], row["rh"]) for row in rows}
    served = {}
    for number in range(MESSAGES):
        message = served_message(number)
        values = tuple(float(message[key]) for key in ("WindSpeed", "WindDirection", "Temperature", "Humidity"))
        served[message["DataTimeStamp"] * 1_000_000] = values
    assert found == served


def assert_alerts(regulator: FakeRegulator) -> None:
    held = sorted(regulator.store.alerts(), key=lambda alert: alert["observed_at_ns"])
    moment = [alert for alert in held if alert["rule_id"] == CRANE_RULE]
    assert [alert["transition"] for alert in moment] == ["raised", "returned", "raised", "returned"]
    assert len({alert["key"] for alert in held}) == len(held)
    bodies = [json.loads(item["body"]) for item in regulator.store.items("alarm_transition")]
    raised = [body["measured"] for body in bodies if body["transition"] == "raised" and body["rule_id"] == CRANE_RULE]
    assert sorted(raised) == ["117.25", "131.5"]
