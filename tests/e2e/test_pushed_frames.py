"""A crane that calls and pushes frames, all the way: the twin, the driver, an alarm on a running box, its silence."""

import socket
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.frames_box import BINARY, frame
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.mosquitto import free_port
from tests.fakes.ready_python import READY
from tests.fakes.sim_field import sim_field
from tests.fakes.waiting import wait_until

TITLES = {"title_zh": "塔机", "title_en": "Crane"}
RULES = {"limit_source": "product_default", "clause": "end-to-end test", "certainty": "PD", "reportable": False}


def write_site(folder: Path, port: int, web_port: int) -> Path:
    (folder / "rules").mkdir()
    moment = {"id": "e2e.moment", "family": "threshold", "kind": "tower-crane", "key": "moment_pct", "high": 100}
    delays = {"on_delay_s": 0, "off_delay_s": 0, "deadband": 0, "severity": "P1"}
    pack = {"version": 1, "pack": "e2e", **TITLES, "rules": [{**moment, **delays, **RULES, **TITLES}]}
    (folder / "rules" / "e2e.yaml").write_text(yaml.safe_dump(pack))
    site = {
        "version": 1,
        "box": {"id": "e2e-box"},
        "site": {"project_code": "E2E-1", **TITLES},
        "storage": {"folder": str(folder / "box"), "reserve_mib": 1, "history": {"flush_ms": 50}},
        "web": {"host": "127.0.0.1", "port": web_port},
        "rule_packs": ["e2e"],
        "assets": [{"id": "crane-4", "kind": "tower-crane", "serial": "TC-4", **TITLES}],
        "links": [{"id": "hosts", "driver": "tcp-frames", "port": port}],
        "devices": [
            {"id": "crane-4-host", "link": "hosts", "asset": "crane-4", "table": BINARY, "identity": "SIM-0004"}
        ],
        "uplinks": [],
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    return path


def rows(gateway: GatewayProcess, path: str) -> list[dict[str, Any]]:
    answer: Any = gateway.get(path)
    return answer[path.rsplit("/", 1)[1]]  # type: ignore[no-any-return]


def load_moment(gateway: GatewayProcess) -> dict[str, Any]:
    return next(row for row in rows(gateway, "/api/points") if row["point_id"] == "crane-4.moment_pct")


def link_row(gateway: GatewayProcess, device: str) -> dict[str, Any]:
    health: Any = gateway.get("/api/health")
    return next(row for row in health["links"] if row["device"] == device)


def test_a_crane_that_pushes_frames_raises_an_alarm_and_falls_silent(tmp_path: Path) -> None:
    port, web_port = free_port(), free_port()
    site = write_site(tmp_path, port, web_port)
    with GatewayProcess(site, f"http://127.0.0.1:{web_port}", python=READY) as gateway:
        assert link_row(gateway, "crane-4-host")["state"] == "starting"
        overloads = [
            "--overload-first-s",
            "1",
            "--overload-jitter-s",
            "0",
            "--overload-for-s",
            "20",
            "--overload-every-s",
            "60",
        ]
        call = ["--no-mast", "--call-port", str(port), "--call-identity", "SIM-0004"]
        with sim_field(tmp_path, *call, *overloads) as twins:
            wait_until(lambda: load_moment(gateway)["quality"] == "GOOD", "the crane is read")
            wait_until(lambda: rows(gateway, "/api/alarms"), "the overload raises an alarm", 30)
            (alarm,) = rows(gateway, "/api/alarms")
            assert (alarm["rule_id"], alarm["severity"]) == ("e2e.moment", "P1")
            assert alarm["measured"] >= 100
            assert link_row(gateway, "crane-4-host")["state"] == "up"
            assert any(entry.asset == "crane-4" for entry in twins.overloads())
        wait_until(lambda: load_moment(gateway)["quality"] == "UNKNOWN", "what nobody says is unknown")
        assert load_moment(gateway)["value"] is None
        assert link_row(gateway, "crane-4-host")["state"] == "down"
        assert rows(gateway, "/api/alarms"), "an unknown value clears no alarm"


def test_an_unknown_caller_is_seen_on_the_health_page(tmp_path: Path) -> None:
    port, web_port = free_port(), free_port()
    site = write_site(tmp_path, port, web_port)
    with GatewayProcess(site, f"http://127.0.0.1:{web_port}", python=READY) as gateway:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
            caller.sendall(frame(serial="NOBODY-1"))
            wait_until(lambda: "NOBODY-1" in link_row(gateway, "hosts:port")["last_error"], "the page names it")
            assert gateway.metric("sitewarden_set_aside") == 1
            with urllib.request.urlopen(f"{gateway.url}/health", timeout=10) as page:
                assert "NOBODY-1" in page.read().decode().split("</section>")[0]
        assert link_row(gateway, "crane-4-host")["state"] == "starting"
        assert load_moment(gateway)["quality"] == "UNKNOWN"
