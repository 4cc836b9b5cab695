"""/metrics tells of cameras and of the shelf, and of what is not known as NaN."""

from collections.abc import AsyncIterator
from dataclasses import replace
from math import isnan, nan
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.model.picture import CameraLink
from gateway.parts.camera.metrics import CameraCollector, camera_metrics
from tests.fakes.eyes import StillEyes, three_cameras
from tests.fakes.site import NOW_NS
from tests.fakes.web_face import Face

Samples = dict[tuple[str, ...], float]


class MetricFace(Face):
    """A face whose cameras may be taken away."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.eyes: StillEyes | None = StillEyes(three_cameras(NOW_NS), self.site.clock.now_ns)
        camera_metrics(self.app, CameraCollector(lambda: self.eyes, lambda: 7, lambda: 70))

    async def samples(self) -> Samples:
        text = (await self.client.get("/metrics")).text
        return {
            (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[MetricFace]:
    face = MetricFace(tmp_path)
    face.site.start()
    yield face
    await face.close()


async def test_a_camera_is_up_ails_and_is_judged(face: MetricFace) -> None:
    assert face.eyes is not None
    first, second, third = face.eyes.states.values()
    face.eyes.states = {
        first.camera: replace(first, link=CameraLink.LIVE, frames_per_s=25.0, judged_per_s=1.0, ailing=()),
        second.camera: replace(second, link=CameraLink.LIVE, judged_per_s=nan, ailing=("black", "moved")),
        third.camera: replace(third, link=next(link for link in CameraLink if link is not CameraLink.LIVE)),
    }
    samples = await face.samples()
    up = [samples["sitewarden_camera_up", camera] for camera in face.eyes.states]
    assert up == [1.0, 1.0, 0.0]
    assert samples["sitewarden_camera_frames_per_s", first.camera] == 25.0
    assert samples["sitewarden_camera_judged_per_s", first.camera] == 1.0
    assert isnan(samples["sitewarden_camera_judged_per_s", second.camera])
    ailing = {name[1:] for name in samples if name[0] == "sitewarden_camera_ailing" and name[2] != third.camera}
    assert ailing == {("black", second.camera), ("moved", second.camera)}


async def test_without_cameras_only_the_shelf_speaks(face: MetricFace) -> None:
    face.eyes = None
    samples = await face.samples()
    assert not [name for name in samples if name[0].startswith("sitewarden_camera")]
    assert samples["sitewarden_media_bytes",] == 7
    assert samples["sitewarden_media_max_bytes",] == 70
    assert samples["sitewarden_polls_total",] == 0
