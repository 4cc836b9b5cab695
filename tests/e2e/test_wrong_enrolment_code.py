"""A wrong enrolment code: the box names file and line, goes on judging, and enrols when the file is mended."""

from pathlib import Path

import httpx
import pytest

from tests.fakes.field_site import crane_words, write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.influxdb import free_port
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.ready_python import READY
from tests.fakes.regulator_process import regulator_process
from tests.fakes.waiting import wait_until

VALUES = dict.fromkeys(
    ("load_t", "rated_t", "moment_pct", "radius_m", "hook_m", "crane_h_m", "slew_deg", "wind_ms", "tilt_deg"), 1.0
) | dict.fromkeys(("multiple", "motor", "work_status"), 1.0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [("no-such-code-was-issued", "The enrolment code is unknown"), ("short", "malformed (code)")],
    ids=["refused by the desk", "too short to be sent"],
)
def test_a_wrong_code_is_a_fault_with_file_and_line_and_no_crash_loop(tmp_path: Path, wrong: str, says: str) -> None:
    code, port = tmp_path / "enrol-code", free_port()
    code.write_text(f"\n{wrong}\n")
    (tmp_path / "desk").mkdir()
    with LibmodbusServer(1, 40) as field, regulator_process(tmp_path / "desk", "e2e-box", "E2E-1") as desk:
        field.set_registers(0, crane_words(VALUES))
        uplink = {"name": "desk", "kind": "regulator", "url": desk.url, "enrol_code": {"file": str(code)}}
        site = write_site(tmp_path, crane_port=field.port, broker_port=free_port(), web_port=port, uplinks=[uplink])
        with GatewayProcess(site, f"http://127.0.0.1:{port}", python=READY) as gateway:
            wait_until(lambda: gateway.metric("sitewarden_uplink_fault") == 1, "the fault shown")
            health = httpx.get(f"{gateway.url}/api/health", trust_env=False).json()
            (row,) = health["uplinks"]
            assert row["fault_en"].startswith(f"{code}:2: ")
            assert says in row["fault_en"]
            assert row["fault_zh"].startswith(f"{code}:2")
            assert wrong not in row["fault_en"] + row["fault_zh"] + gateway.log.read_text()
            assert [part["restarts"] for part in health["parts"] if not part["running"] or part["restarts"]] == []
            for language, text in (("zh", "需要处理"), ("en", "needs mending")):
                page = httpx.get(f"{gateway.url}/health?lang={language}", trust_env=False).text
                assert f"{code}:2" in page
                assert text in page
            before = gateway.metric("sitewarden_polls_total")
            wait_until(lambda: gateway.metric("sitewarden_polls_total") > before, "the box goes on reading")
            code.write_text(desk.enrol_code)
            wait_until(lambda: gateway.metric("sitewarden_uplink_fault") == 0, "enrolled with the mended file")
