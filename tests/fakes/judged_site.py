"""A box with one camera whose alarms were judged: kept pictures of drawn blocks, and the regulator's verdicts, sealed
as they come down, without a wire."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2

from contract.envelope import SignedText
from contract.mailbox import AlarmVerdict
from contract.messages import MailboxMessage
from gateway.model.picture import FiredScene, Picture
from gateway.parts.orders.sealing import seal_order
from gateway.uplinks.regulator_mailbox import DownMessage
from tests.fakes.block_model import CELL, SIZE, paint, write_block_model
from tests.fakes.media_box import CAMERA, NS, MediaBox, camera_alarm
from tests.fakes.site import BOX, NOW_NS, until
from vision.detector.registry import read_entry

AT = (4, 4)
CODES = {"helmet": 0, "head": 1, "person": 2}
SITE = """version: 1
box: {{id: {box}}}
site: {{project_code: PROJECT-1, title_zh: 工地, title_en: Site}}
storage: {{folder: "{folder}"}}
rule_packs: [national]
assets:
  - {{id: cam-1, kind: camera-post, serial: CAM-0001, title_zh: 大门摄像机, title_en: Gate camera}}
links:
  - {{id: cam-1-stream, driver: camera, source: "rtsp://192.0.2.31/1"}}
devices:
  - {{id: {camera}, link: cam-1-stream, asset: cam-1, table: site-camera, model: "{model}"}}
web: {{host: 127.0.0.1, port: 8080}}
"""


def block_box(column: int, row: int) -> tuple[float, float, float, float]:
    """A painted block in pixels."""
    return float(column * CELL), float(row * CELL), float((column + 1) * CELL), float((row + 1) * CELL)


class JudgedSite:
    """`box` over `data` in a folder, and the site file of the same box. Raise, then judge."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.entry = write_block_model(folder / "model")
        self.file = folder / "site.yaml"
        text = SITE.format(box=BOX, folder=self.data, camera=CAMERA, model=self.entry)
        self.file.write_text(text, encoding="utf-8")
        self.box = MediaBox(self.data)
        self.box.start()
        self.box.eyes.no_clip = "nothing is kept"
        self._alarms = self._messages = 0

    @property
    def model(self) -> str:
        """What goes with every picture into the evidence."""
        return read_entry(self.entry).label

    async def alarm(
        self, score: float = 0.8, key: str = "bare_head_1", others: Sequence[str] = (), model: str = ""
    ) -> str:
        """An alarm with its kept frame: a bare head at `AT`, other blocks along the lower edge. Its id."""
        at_ns = NOW_NS + self._alarms * 60 * NS
        self._alarms += 1
        beside = [(kind, 2 + 2 * place, 8) for place, kind in enumerate(others)]
        body = _jpeg([("head", *AT), *beside], self._alarms)
        rows = [(*block_box(*AT), CODES["head"], score, 17)]
        rows += [(*block_box(column, row), CODES[kind], 0.9, 20) for kind, column, row in beside]
        frame = Picture(CAMERA, at_ns, 7, *SIZE, "image/jpeg", body, hashlib.sha256(body).hexdigest(), tuple(rows))
        x1, y1, x2, y2 = block_box(*AT)
        about = {"track": 17, "box_x1_px": x1, "box_y1_px": y1, "box_x2_px": x2, "box_y2_px": y2}
        scene = FiredScene(CAMERA, key, at_ns, frame, (), about, {"model": model or self.model})
        self.box.eyes.scenes[CAMERA, key] = scene
        alarm, kept = camera_alarm(key, at_ns), self.box.keeper.kept
        await self.box.raise_alarm(alarm)
        await until(lambda: self.box.keeper.kept > kept)
        return alarm.alarm_id

    async def judge(self, alarm_id: str, verdict: str, reason: str = "", version: int = 2) -> None:
        """The desk's word arrives and is sealed."""
        self._messages += 1
        said = {"alarm_id": alarm_id, "version": version, "verdict": verdict, "reason": reason, "judged_at_ns": NOW_NS}
        message = MailboxMessage(
            message_id=f"m{self._messages}",
            mailbox_seq=self._messages,
            box_id=BOX,
            kind="alarm_verdict",
            issued_at_ns=NOW_NS,
            body=AlarmVerdict.model_validate(said).model_dump(mode="json"),
        )
        key_id = "ed25519:" + "0" * 32
        signed = SignedText(alg="Ed25519", key_id=key_id, text=message.model_dump_json(), signature="AA==")
        await seal_order(DownMessage(message, signed), _kept, self.box.recorder, self.box.clock, "regulator")


async def _kept(_down: DownMessage) -> None:
    """The inbox file is another test's."""


def _jpeg(blocks: list[tuple[str, int, int]], number: int) -> bytes:
    """No two alarms have the same bytes."""
    picture = paint(blocks)
    picture[0, :16, 0] = [255 * (number >> bit & 1) for bit in range(16)]
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes())
