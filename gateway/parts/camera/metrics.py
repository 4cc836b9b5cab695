"""Cameras and kept pictures as Prometheus metrics, read at each scrape from the eyes and the shelf.

In: the eyes (None where no camera is configured) and the shelf of bodies. Out: metric families. A rate that is not
known is NaN, never 0.
"""

from collections.abc import Callable, Iterator

from fastapi import FastAPI
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.model.picture import CameraLink
from gateway.ports import Eyes

LABEL_CAMERA = ["camera"]


class CameraCollector(Collector):
    """One row a camera; `held_bytes` and `max_bytes` of the pictures and clips on the shelf."""

    def __init__(
        self, eyes: Callable[[], Eyes | None], held_bytes: Callable[[], int], max_bytes: Callable[[], int]
    ) -> None:
        self._eyes = eyes
        self._held_bytes = held_bytes
        self._max_bytes = max_bytes

    def collect(self) -> Iterator[Metric]:
        """All metric families of the cameras, read at this moment."""
        yield from self._cameras()
        yield GaugeMetricFamily("sitewarden_media_bytes", "Pictures and clips on the shelf", self._held_bytes())
        yield GaugeMetricFamily("sitewarden_media_max_bytes", "What the shelf may hold", self._max_bytes())

    def _cameras(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("sitewarden_camera_up", "1 while frames arrive", labels=LABEL_CAMERA)
        frames = GaugeMetricFamily("sitewarden_camera_frames_per_s", "Frames that arrive", labels=LABEL_CAMERA)
        judged = GaugeMetricFamily("sitewarden_camera_judged_per_s", "Frames that are judged", labels=LABEL_CAMERA)
        ailing = GaugeMetricFamily(
            "sitewarden_camera_ailing", "1 for each thing wrong with the picture", labels=[*LABEL_CAMERA, "ailment"]
        )
        eyes = self._eyes()
        for state in eyes.cameras() if eyes is not None else ():
            up.add_metric([state.camera], float(state.link is CameraLink.LIVE))
            frames.add_metric([state.camera], state.frames_per_s)
            judged.add_metric([state.camera], state.judged_per_s)
            for key in state.ailing:
                ailing.add_metric([state.camera, key], 1.0)
        yield from (up, frames, judged, ailing)


def camera_metrics(app: FastAPI, collector: CameraCollector) -> None:
    """Let `/metrics` tell of cameras and pictures too."""
    app.state.collectors.append(collector)
