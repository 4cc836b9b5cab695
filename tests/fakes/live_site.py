"""A real gateway with two real RTSP cameras, one of H.264 and one of H.265, enrolled at a desk: for live video.

with LiveSite(folder, face, "P-1") as site:     # cameras cam-1-eye and cam-2-eye
    site.wait_until_seen(CAMERA)                # frames arrive, and the desk has heard of the box
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml
from sqlalchemy import insert, select

from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.wall import wall_stills
from tests.fakes.desk_face import DeskFace
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.mosquitto import free_port
from tests.fakes.ready_python import READY
from tests.fakes.rtsp_server import RtspServer, film
from tests.fakes.waiting import wait_until

CAMERA, OTHER = "cam-1-eye", "cam-2-eye"
PATIENCE_S = 150.0
_TITLES = {"title_zh": "测试", "title_en": "Test"}


class LiveSite:
    """`folder` holds the box; `codecs`: of the cameras."""

    def __init__(self, folder: Path, face: DeskFace, project_code: str, codecs: tuple[str, ...] = ("h264",)) -> None:
        self._folder, self._face, self._project, self._codecs = folder, face, project_code, codecs
        self._stack = ExitStack()
        self.gateway: GatewayProcess

    def __enter__(self) -> Self:
        face = self._face
        with face.database.transaction() as db:
            db.execute(insert(projects).values(project_code=self._project, name="一号工地", city_code="4401"))
        cameras = [self._stack.enter_context(RtspServer(film(codec))) for codec in self._codecs]
        port = free_port()
        site = self._write([camera.url for camera in cameras], port)
        self.gateway = self._stack.enter_context(GatewayProcess(site, f"http://127.0.0.1:{port}", python=READY))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def wait_until_seen(self, camera: str = CAMERA) -> None:
        """Frames of the camera arrive, a small picture of it lies at the desk."""
        self._until(lambda: self._has_still(camera), f"a still of {camera}")

    def wait_until_enrolled(self) -> None:
        """The desk knows the box."""
        self._until(self._enrolled, "the box enrolled")

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(condition, f"{what}, see {self.gateway.log}", PATIENCE_S)

    def _has_still(self, camera: str) -> bool:
        with self._face.database.reading() as db:
            return camera in set(db.scalars(select(wall_stills.c.camera_id)))

    def _enrolled(self) -> bool:
        with self._face.database.reading() as db:
            return db.scalar(select(boxes.c.box_id)) is not None

    def _write(self, urls: list[str], port: int) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "code").write_text(self._face.code_for("live-box", self._project))
        names = [f"cam-{number}" for number in range(1, len(urls) + 1)]
        site = {
            "version": 1,
            "box": {"id": "live-box"},
            "site": {"project_code": self._project, **_TITLES},
            "storage": {"folder": str(self._folder / "box"), "reserve_mib": 1},
            "rule_packs": ["national"],
            "assets": [{"id": name, "kind": "camera-post", "serial": name, **_TITLES} for name in names],
            "links": [{"id": name, "driver": "camera", "source": url} for name, url in zip(names, urls, strict=True)],
            "devices": [{"id": f"{name}-eye", "link": name, "asset": name, "table": "site-camera"} for name in names],
            "uplinks": [
                {
                    "name": "desk",
                    "kind": "regulator",
                    "url": self._face.url,
                    "enrol_code": {"file": str(self._folder / "code")},
                    "mailbox_wait_s": 1,
                }
            ],
            "web": {"host": "127.0.0.1", "port": port},
        }
        path = self._folder / "site.yaml"
        path.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
        return path
