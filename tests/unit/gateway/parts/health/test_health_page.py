"""The health page: what needs somebody stands on top, what cannot be known says so."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from gateway.line.supervisor import PartHealth
from gateway.parts.camera.routes import camera_routes
from gateway.parts.camera.survey_desk import SurveyDesk
from gateway.parts.camera.survey_store import SurveyStore
from gateway.parts.health.health_view import HealthFiles, HealthView
from gateway.ports import LinkState
from gateway.store.alarm_reader import AlarmReader
from gateway.store.quality_reader import QualityReader
from gateway.tls.folder import TlsFolder
from gateway.tls.names import parse_names
from gateway.tls.watch import CertificateFiles, CertificateWatch
from tests.fakes.eyes import StillEyes, three_cameras
from tests.fakes.office_face import OfficeFace
from tests.fakes.site import MINUTE_NS, NOW_NS, poll, until
from vision.edges.survey_night import night_look
from vision.survey.parsing import read_survey


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[OfficeFace]:
    face = OfficeFace(tmp_path)
    yield face
    await face.close()


async def report(face: OfficeFace) -> dict[str, object]:
    found: dict[str, object] = json.loads((await face.file("/api/health/report")).content)
    return found


async def test_a_young_box_knows_neither_its_growth_nor_a_model(face: OfficeFace) -> None:
    page = await face.page("/health")
    assert "历史不足 6 小时" in page
    assert "未安装" in page
    found = await report(face)
    assert found["disk"]["days_left"] is None  # type: ignore[index]
    assert found["model_version"] is None
    assert found["clock"]["sync"] in ("kept", "free", "unknown")  # type: ignore[index]


async def test_each_camera_stands_there_with_what_is_wrong_and_by_which_model_it_is_judged(face: OfficeFace) -> None:
    site = face.site
    eyes = StillEyes(three_cameras(NOW_NS), site.clock.now_ns)
    parts = site.alerts, site.recorder, site.clock
    surveys = SurveyDesk(SurveyStore(site.folder, read_survey), read_survey, *parts, night_look)
    camera_routes(face.app, face.app.state.pages, lambda: eyes, surveys)
    page = await face.english("/health")
    assert "(1/3)" in page
    assert "picture is blurred" in page
    assert "no answer within 5 s" in page
    assert "not installed" not in page
    assert (await report(face))["model_version"] == "site_heads 1"


async def test_a_link_that_is_down_stands_on_top_hatched_with_when_it_was_last_heard(face: OfficeFace) -> None:
    face.link(state=LinkState.DOWN, last_error="<timed out>")
    page = await face.page("/health")
    top = page.split("</section>")[0]
    assert 'class="danger unknown"' in top
    assert "mast" in top
    assert "启动以来没有数据" in top
    assert "&lt;timed out&gt;" in top


async def test_a_port_that_unknown_devices_call_stands_on_top_although_it_is_up(face: OfficeFace) -> None:
    face.link(device="hosts:port", state=LinkState.UP, last_error="unknown devices call: '<X>' from 10.0.0.9")
    top = (await face.page("/health")).split("</section>")[0]
    assert "hosts:port" in top
    assert "unknown devices call: &#39;&lt;X&gt;&#39; from 10.0.0.9" in top
    with_it = top.split('class="numeric">(')[1].split(")")[0]
    face.link(device="hosts:port", state=LinkState.UP, last_error="")
    top = (await face.page("/health")).split("</section>")[0]
    assert "hosts:port" not in top
    assert int(top.split('class="numeric">(')[1].split(")")[0]) == int(with_it) - 1


async def test_a_part_that_does_not_run_and_a_store_that_fails_are_said(face: OfficeFace) -> None:
    face.running["uplink:x"] = PartHealth("uplink:x", running=False, restarts=3, last_error="ValueError: boom")
    face.site.recorder.failing_since_ns = NOW_NS
    page = await face.page("/health")
    assert "uplink:x" in page.split("</section>")[0]
    assert "磁盘无法写入记录" in page
    face.site.recorder.failing_since_ns = 0


async def test_a_certificate_that_ends_soon_stands_on_top(face: OfficeFace, tmp_path: Path) -> None:
    now = datetime.fromtimestamp(face.box.clock.now_ns() / 1e9, UTC)
    tls = TlsFolder(tmp_path / "tls")
    tls.init("box-1", parse_names(["box.local"], []), now - timedelta(days=376))
    tls.ca_key.unlink()
    face.view.parts = replace(face.view.parts, certificate=CertificateWatch(_files(tls), face.box.clock))
    top = (await face.page("/health")).split("</section>")[0]
    assert "网页证书还有 20 天到期；本机没有 CA 私钥，请人工更新证书" in top
    assert "the page&#39;s certificate ends in 20 days" in (await face.page("/health?lang=en"))


async def test_a_certificate_that_holds_is_nothing_to_look_at(face: OfficeFace, tmp_path: Path) -> None:
    now = datetime.fromtimestamp(face.box.clock.now_ns() / 1e9, UTC)
    tls = TlsFolder(tmp_path / "tls")
    tls.init("box-1", parse_names(["box.local"], []), now)
    face.view.parts = replace(face.view.parts, certificate=CertificateWatch(_files(tls), face.box.clock))
    assert "网页证书" not in (await face.page("/health")).split("</section>")[0]


def _files(tls: TlsFolder) -> CertificateFiles:
    return CertificateFiles(tls.server_file, folder=tls)


async def test_points_are_listed_the_worst_first_and_by_asset(face: OfficeFace) -> None:
    index = face.site.table.index_of
    name = "mast-1.wind"
    for minute in range(3):
        at_ns = NOW_NS + minute * MINUTE_NS
        face.site.intake.offer(poll(np.array([index[name]], dtype=np.int32), 3.0, at_ns, device="mast"))
    await until(lambda: face.site.pipeline.judged_polls >= 3)
    await face.box.clock.advance(1)
    face.site.history.flush(NOW_NS).done.result()
    await face.box.clock.advance(300)
    face.site.history.tend(face.box.clock.now_ns()).result()
    found = await report(face)
    rows = {row["point_id"]: row for row in found["quality"]}  # type: ignore[attr-defined]
    assert rows[name]["hour"]["good"] == 3
    assert rows["mast-1.temp"]["hour"] == {"good": 0, "doubtful": 0, "bad": 0, "missing": 60}
    assert list(rows)[-1] == name, "the best last"
    page = await face.page("/health?asset=mast-1")
    assert name in page
    assert "pit-1." not in page.split('id="health-quality"')[1].split("</details>")[0]


async def test_files_are_asked_once_in_half_a_minute(face: OfficeFace) -> None:
    view = HealthView(face.view, _files_of(face))
    first = (await view.report()).asked
    assert (await view.report()).asked is first
    await face.box.clock.advance(31)
    assert (await view.report()).asked.at_ns == face.box.clock.now_ns()


async def test_a_disk_that_cannot_be_measured_is_unknown(face: OfficeFace, tmp_path: Path) -> None:
    found = await HealthView(face.view, replace(_files_of(face), folder=tmp_path / "gone")).report()
    assert found.asked.disk is None
    assert not found.disk_low


def _files_of(face: OfficeFace) -> HealthFiles:
    alarms, quality = AlarmReader(face.site.alerts.path), QualityReader(face.site.history.path)
    return HealthFiles(face.site.folder, alarms, quality, lambda: (2**30, 60))
