"""Bodies to the regulator in their own lane: once, retried, put aside when they are not what was sealed."""

import orjson
import pytest

from gateway.media.sending import MediaSending
from gateway.model.alert import Receipt, ReceiptKind
from tests.fakes.media_box import CAMERA, MediaBox, camera_alarm, picture, scene
from tests.fakes.site import until


class Carrier:
    """Answers as it is told; remembers what came."""

    name = "regulator"

    def __init__(self):
        self.answers = []
        self.came = []

    async def send_media(self, item, body, media_type):
        self.came.append((item.key, body, media_type))
        return self.answers.pop(0) if self.answers else Receipt.accepted("r1")


@pytest.fixture
async def box(tmp_path):
    box = MediaBox(tmp_path)
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    box.eyes.no_clip = "none"
    box.start()
    await box.raise_alarm(camera_alarm())
    await until(lambda: len(box.alerts.pending("regulator", 100, media=True)) == 9)
    yield box
    await box.stop()


async def test_each_body_goes_once_with_what_names_it(box):
    carrier = Carrier()
    sending = MediaSending(carrier, box.alerts, box.shelf, box.clock)
    while await sending.send_next() is not None:
        pass

    assert len(carrier.came) == 9
    assert carrier.came[0] == (f"{camera_alarm().alarm_id}:frame:0", picture("bare_head_1 frame").body, "image/jpeg")
    assert sending.sent == 9


async def test_what_is_to_be_tried_again_stays_and_keeps_its_place(box):
    carrier = Carrier()
    carrier.answers = [Receipt.retry("no line"), Receipt.accepted("r1")]
    sending = MediaSending(carrier, box.alerts, box.shelf, box.clock)
    first, second = await sending.send_next(), await sending.send_next()

    assert (first.kind, second.kind) == (ReceiptKind.RETRY, ReceiptKind.ACCEPTED)
    assert carrier.came[0][0] == carrier.came[1][0]


async def test_a_damaged_body_never_leaves_the_box(box):
    carrier = Carrier()
    first = orjson.loads(box.alerts.pending("regulator", 1, media=True)[0].body)
    box.shelf.path(first["blob_sha256"]).write_bytes(b"another picture")
    sending = MediaSending(carrier, box.alerts, box.shelf, box.clock)
    receipt = await sending.send_next()

    assert receipt.kind is ReceiptKind.REJECTED
    assert "damaged" in receipt.detail
    assert carrier.came == []
    assert len(box.alerts.pending("regulator", 100, media=True)) == 8


async def test_alerts_do_not_stand_behind_bodies(box):
    kinds = [item.kind for item in box.alerts.pending("regulator", 100)]

    assert kinds[0] == "alarm_transition"
    assert "media_segment" not in kinds
    assert kinds.count("thumbnail") == 1
