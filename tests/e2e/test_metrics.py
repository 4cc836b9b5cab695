"""A real scrape of a running box: process figures, the build, histograms that count what happened."""

import platform
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from contract import __version__
from tests.fakes.field_site import crane_words, write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.influxdb import free_port
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.ready_python import READY
from tests.fakes.regulator import FakeRegulator
from tests.fakes.waiting import wait_until

KEYS = ("load_t", "rated_t", "radius_m", "hook_m", "crane_h_m", "slew_deg", "wind_ms", "tilt_deg", "multiple", "motor")
OVER_THE_LIMIT = dict.fromkeys((*KEYS, "work_status"), 1.0) | {"moment_pct": 120.0}


def _scrape(url: str) -> dict[str, list]:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as reply:
        families = text_string_to_metric_families(reply.read().decode())
        return {sample.name: family.samples for family in families for sample in family.samples}


def _count(gateway: GatewayProcess, name: str) -> float:
    return sum(each.value for each in _scrape(gateway.url).get(name, []) if each.name == name)


def test_a_scrape_tells_of_the_process_the_build_and_how_long_things_took(tmp_path: Path) -> None:
    port = free_port()
    with LibmodbusServer(1, 40) as field, FakeRegulator(tmp_path / "desk") as desk:
        (tmp_path / "code").write_text(desk.code_for("e2e-box", "E2E-1"))
        field.set_registers(0, crane_words(OVER_THE_LIMIT))
        uplink = {"name": "desk", "kind": "regulator", "url": desk.url, "enrol_code": {"file": str(tmp_path / "code")}}
        site = write_site(tmp_path, crane_port=field.port, broker_port=free_port(), web_port=port, uplinks=[uplink])
        with GatewayProcess(site, f"http://127.0.0.1:{port}", python=READY) as gateway:
            wait_until(lambda: _count(gateway, "sitewarden_seal_to_accepted_seconds_count") >= 1, "an alarm accepted")
            scraped = _scrape(gateway.url)
            (build,) = scraped["sitewarden_build_info"]
            assert (build.labels, build.value) == (
                {"version": __version__, "python": platform.python_version()},
                1,
            )
            assert abs(_count(gateway, "process_resident_memory_bytes") / 2**20 - gateway.rss_mb()) < 50
            assert {"process_cpu_seconds_total", "process_open_fds", "process_start_time_seconds"} <= scraped.keys()
            polls = [each for each in scraped["sitewarden_poll_seconds_count"] if each.name.endswith("_count")]
            assert {each.labels["device"] for each in polls} == {"crane-1-host"}
            assert 0 < sum(each.value for each in polls) <= _count(gateway, "sitewarden_polls_total")
            assert _count(gateway, "sitewarden_commit_seconds_count") >= 1
