import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.line.channel_checks import Channel, ChannelChecks
from gateway.model.alert import Receipt
from gateway.store.outbox_reader import OutboxReader
from gateway.web.sound_page import sound_routes
from tests.fakes.site import BOX
from tests.fakes.web_face import Face

CHANNELS = (Channel("regulator", "webhook", True, True), Channel("platform", "regulator", False, False))
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class SoundFace(Face):
    """A face with the page of channels; the scripted uplink of the site tells people here."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        site = self.site
        outbox = OutboxReader(site.alerts.path)
        self.checks = ChannelChecks(CHANNELS, (BOX, "P-1"), site.recorder, outbox, site.clock)
        sound_routes(self.app, self.app.state.pages, self.checks)

    async def page(self, path: str = "/sound", language: str = "zh-CN") -> str:
        reply = await self.client.get(path, params={"lang": language}, headers={"accept": "text/html"})
        assert reply.status_code == 200, reply.text
        return reply.text

    async def press(self, name: str, csrf: str | None = None) -> tuple[int, str]:
        """Send the form of a channel's button; an answer of the receiver is not waited for."""
        found = CSRF.search(await self.page())
        assert found is not None
        sending = self.client.post(
            f"/sound/channels/{name}/test",
            data={"csrf": found[1] if csrf is None else csrf},
            headers={"accept": "text/html", "origin": "http://127.0.0.1:8080"},
        )
        reply = await self.passing(sending)
        return reply.status_code, reply.text

    async def passing(self, sending):  # type: ignore[no-untyped-def]
        """Our clock goes on while the page waits for the receiver."""
        task = asyncio.ensure_future(sending)
        while not task.done():
            await self.site.clock.advance(0.2)
            await asyncio.sleep(0.001)
        return task.result()


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[SoundFace]:
    face = SoundFace(tmp_path)
    face.site.start()
    yield face
    await face.close()


async def test_a_channel_that_was_never_used_is_unknown_and_not_good(face: SoundFace) -> None:
    text = await face.page()
    assert "从未成功送达" in text
    assert '<span class="unknown-word">未知</span>' in text
    assert "nothing was ever accepted" in await face.page(language="en")


async def test_the_button_sends_one_test_and_the_next_one_waits_a_minute(face: SoundFace) -> None:
    assert (await face.press("regulator"))[0] == 303
    assert "尚无应答" in await face.page("/parts/channels")
    status, text = await face.press("regulator")
    assert status == 429
    assert re.search(r"每个通道每分钟只能测试一次：\d+ 秒后可再测", text)
    assert len(face.site.alerts.evidence_of("channel:regulator")) == 1


@pytest.mark.parametrize(("name", "status", "words"), [("x", 404, "没有这个通道"), ("platform", 409, "不通知人员")])
async def test_what_cannot_be_tested_says_why(face: SoundFace, name: str, status: int, words: str) -> None:
    found, text = await face.press(name)
    assert (found, words in text) == (status, True)


async def test_a_forged_form_sends_nothing(face: SoundFace) -> None:
    status, _ = await face.press("regulator", csrf="0" * 64)
    assert status == 403
    assert face.site.alerts.head().seq == 0


async def test_the_receivers_words_are_shown_as_text(face: SoundFace) -> None:
    await face.checks.test("regulator", "a")
    item = face.site.alerts.pending("regulator", 5)[0]
    answer = Receipt.rejected("<script>alert(1)</script> 45009")
    face.site.alerts.resolve([(item, answer)], face.site.clock.now_ns()).result()
    text = await face.page("/parts/channels")
    assert "接收方拒收" in text
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text
