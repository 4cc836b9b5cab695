"""thingsboard-gateway, in an environment of its own from the Python package index."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import paho.mqtt.client as mqtt

from bench.peers.running import INSTALLED, Counter, Field, install, run_peer

TB_PACKAGES = ("thingsboard-gateway==3.8.5", "pymodbus==3.9.2", "pyserial", "pyserial-asyncio", "setuptools<81")

ASKED = ("v1/devices/me/rpc/request/+", "v1/devices/me/attributes/request/+", "v1/gateway/attributes/request")


def thingsboard(field: Field, folder: Path, seconds: float) -> dict[str, object]:
    """thingsboard-gateway with one range entry a device; a stand-in answers the session limits it waits for."""
    home = _install_thingsboard()
    config = folder / "config"
    config.mkdir()
    script = "import thingsboard_gateway, os; print(os.path.dirname(thingsboard_gateway.__file__))"
    package = Path(subprocess.check_output([home / "bin/python", "-c", script], text=True).strip())
    for name in ("logs.json", "list.json"):
        if (package / "config" / name).exists():
            shutil.copy(package / "config" / name, config)
    (config / "tb_gateway.json").write_text(json.dumps(_tb_gateway(field)))
    (config / "modbus.json").write_text(json.dumps(_tb_modbus(field)))
    (folder / "logs").mkdir()
    server = _SessionLimits(field.broker_port)
    counter = Counter(field.broker_port, "v1/gateway/telemetry", _tb_values)
    try:
        command = [str(home.resolve() / "bin/thingsboard-gateway")]
        return run_peer(command, folder, {"TB_GW_CONFIG_DIR": str(config)}, counter, seconds)
    finally:
        counter.close()
        server.close()


def _install_thingsboard() -> Path:
    home = INSTALLED / "thingsboard"
    if not (home / "bin/thingsboard-gateway").exists():
        install([sys.executable, "-m", "venv", str(home)], Path())
        install([str(home / "bin/python"), "-m", "pip", "install", "-q", *TB_PACKAGES], Path())
    return home


def _tb_gateway(field: Field) -> dict[str, object]:
    unlimited = dict.fromkeys(
        ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits", "deviceRateLimits",
         "deviceDpRateLimits"), "0:0,"
    )  # fmt: skip
    return {
        "thingsboard": {
            "host": "127.0.0.1", "port": field.broker_port, "remoteShell": False, "remoteConfiguration": False,
            "statistics": {"enable": False}, "deviceFiltering": {"enable": False, "filterFile": "list.json"},
            "maxPayloadSizeBytes": 65536, "minPackSendDelayMS": 50, "minPackSizeToSend": 500,
            "security": {"type": "accessToken", "accessToken": "bench"}, "qos": 1,
            "reportStrategy": {"type": "ON_RECEIVED"}, "checkingDeviceActivity": {"checkDeviceInactivity": False},
            **unlimited,
        },
        "storage": {"type": "memory", "read_records_count": 100, "max_records_count": 100000},
        "grpc": {"enabled": False},
        "connectors": [{"type": "modbus", "name": "Modbus", "configuration": "modbus.json"}],
    }  # fmt: skip


def _tb_modbus(field: Field) -> dict[str, object]:
    series = [
        {"tag": "p", "type": "32float", "functionCode": 3, "address": f"0-{2 * field.points - 1}", "objectsCount": 2}
    ]
    slaves = [
        {"host": "127.0.0.1", "port": port, "type": "tcp", "method": "socket", "unitId": 1, "deviceName": f"d{i}",
         "deviceType": "default", "timeout": 3, "byteOrder": "BIG", "wordOrder": "BIG", "retries": 1,
         "pollPeriod": field.poll_ms, "connectAttemptTimeMs": 1000, "connectAttemptCount": 5,
         "waitAfterFailedAttemptsMs": 3000, "reportStrategy": {"type": "ON_RECEIVED"}, "attributes": [],
         "timeseries": series, "attributeUpdates": [], "rpc": []}
        for i, port in enumerate(field.ports)
    ]  # fmt: skip
    return {"name": "Modbus", "logLevel": "ERROR", "master": {"slaves": slaves}}


def _tb_values(payload: bytes) -> int:
    return sum(len(row.get("values", row)) for rows in json.loads(payload).values() for row in rows)


class _SessionLimits:
    """What thingsboard-gateway asks its server before it sends anything."""

    def __init__(self, port: int) -> None:
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="bench-thingsboard")
        self._client.on_connect = lambda client, *_: client.subscribe(
            [
                ("v1/devices/me/rpc/request/+", 1),
                ("v1/devices/me/attributes/request/+", 1),
                ("v1/gateway/attributes/request", 1),
            ]
        )
        self._client.on_message = self._answer
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _answer(self, client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        topic, number = message.topic.rsplit("/", 1)
        if topic == "v1/devices/me/rpc/request" and json.loads(message.payload).get("method") == "getSessionLimits":
            limits = {"maxPayloadSize": 65536, "maxInflightMessages": 100, "rateLimits": {}, "gatewayRateLimits": {}}
            client.publish(f"v1/devices/me/rpc/response/{number}", json.dumps(limits), 1)
        elif topic == "v1/devices/me/attributes/request":
            client.publish(f"v1/devices/me/attributes/response/{number}", "{}", 1)
        elif message.topic == "v1/gateway/attributes/request":
            asked = json.loads(message.payload)
            answer = {"id": asked.get("id"), "device": asked.get("device"), "values": {}}
            client.publish("v1/gateway/attributes/response", json.dumps(answer), 1)
