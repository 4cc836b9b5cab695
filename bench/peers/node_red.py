"""Node-RED with node-red-contrib-modbus, from the npm registry.

Its Modbus node names a fork that is not in the registry; npm's `modbus-serial` stands in for it, so this is not the
stock package.
"""

import json
import shutil
from pathlib import Path

from bench.peers.running import INSTALLED, Counter, Field, NotInstalled, install, run_peer
from tests.fakes.mosquitto import free_port

NODE_PACKAGES = {
    "node-red": "4.1.15",
    "node-red-contrib-modbus": "5.60.2",
    "modbus-serial": "8.0.25",
}
NODE_OVERRIDES = {"@openp4nr/modbus-serial": "npm:modbus-serial@8.0.25"}


def node_red(field: Field, folder: Path, seconds: float) -> dict[str, object]:
    """Node-RED with node-red-contrib-modbus: a read node, a decoding function and an MQTT node a device."""
    home = _install_node_red()
    shutil.copy(home / "package.json", folder)
    (folder / "node_modules").symlink_to((home / "node_modules").resolve())
    (folder / "flows.json").write_text(json.dumps(_flows(field)))
    settings = {
        "uiHost": "127.0.0.1", "uiPort": free_port(), "flowFile": "flows.json", "userDir": str(folder),
        "telemetry": {"enabled": False, "updateNotification": False}, "httpAdminRoot": False,
        "externalModules": {"palette": {"allowInstall": False}}, "logging": {"console": {"level": "warn"}},
    }  # fmt: skip
    (folder / "settings.js").write_text(f"module.exports = {json.dumps(settings)};")
    counter = Counter(field.broker_port, "nr/#", lambda payload: len(json.loads(payload)["values"]))
    command = ["node", str(home.resolve() / "node_modules/node-red/red.js"), "-s", str(folder / "settings.js")]
    try:
        return run_peer([*command, "-u", str(folder)], folder, {}, counter, seconds)
    finally:
        counter.close()


def _install_node_red() -> Path:
    home = INSTALLED / "nodered"
    if shutil.which("npm") is None:
        raise NotInstalled("npm is not here")
    if not (home / "node_modules/node-red/red.js").exists():
        home.mkdir(parents=True, exist_ok=True)
        package = {"name": "bench-node-red", "version": "1.0.0", "private": True}
        package |= {"dependencies": NODE_PACKAGES, "overrides": NODE_OVERRIDES}
        (home / "package.json").write_text(json.dumps(package))
        install(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], home)
    return home


def _flows(field: Field) -> list[dict[str, object]]:
    code = (
        "const b=Buffer.alloc(4),v=[];for(let i=0;i<msg.payload.length;i+=2){b.writeUInt16BE(msg.payload[i],0);"
        "b.writeUInt16BE(msg.payload[i+1],2);v.push(b.readFloatBE(0));}"
        "return {topic:'nr/DEVICE',payload:JSON.stringify({ts:Date.now(),values:v})};"
    )
    broker = {"id": "br", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(field.broker_port)}
    broker |= {"clientid": "", "autoConnect": True, "protocolVersion": "4", "keepalive": "60", "cleansession": True}
    flows: list[dict[str, object]] = [{"id": "t", "type": "tab", "label": "bench"}, broker]
    for i, port in enumerate(field.ports):
        flows += [
            {"id": f"c{i}", "type": "modbus-client", "name": f"d{i}", "clienttype": "tcp", "bufferCommands": True,
             "tcpHost": "127.0.0.1", "tcpPort": str(port), "tcpType": "DEFAULT", "unit_id": "1", "commandDelay": "1",
             "clientTimeout": "1000", "reconnectOnTimeout": True, "reconnectTimeout": "2000",
             "parallelUnitIdsAllowed": True},
            {"id": f"r{i}", "type": "modbus-read", "z": "t", "unitid": "1", "dataType": "HoldingRegister", "adr": "0",
             "quantity": str(2 * field.points), "rate": str(field.poll_ms), "rateUnit": "ms", "server": f"c{i}",
             "useIOFile": False, "wires": [[f"f{i}"], []]},
            {"id": f"f{i}", "type": "function", "z": "t", "func": code.replace("DEVICE", f"d{i}"), "outputs": 1,
             "libs": [], "wires": [[f"m{i}"]]},
            {"id": f"m{i}", "type": "mqtt out", "z": "t", "topic": "", "qos": "1", "retain": "", "broker": "br",
             "wires": []},
        ]  # fmt: skip
    return flows
