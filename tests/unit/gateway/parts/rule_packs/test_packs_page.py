"""The page of rule packs: a safety officer decides, others look; what is offered is shown as text."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.parts.rule_packs.office import PackOffice
from gateway.parts.rule_packs.packs_page import pack_routes
from tests.fakes.office_face import LEADER, OFFICER
from tests.fakes.order_face import OrderFace
from tests.fakes.pack_box import PackBox, offer, pack, pack_box

HTML = "<script>alert(1)</script>"


class Desk:
    def __init__(self, face: OrderFace, box: PackBox) -> None:
        self.face, self.box, self.office = face, box, box.office()
        pack_routes(face.app, face.app.state.pages, self.office, lambda: box.settings.rule_packs)

    async def offered(self, offer_id: str = "k-1") -> PackOffice:
        await self.office.take(offer(offer_id, reason=HTML, offered_by=HTML), "regulator", 1, asks=True)
        await self.office.look()
        return self.office


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    face = OrderFace(tmp_path)
    (tmp_path / "packs").mkdir()
    async with pack_box(tmp_path / "packs") as box:
        yield Desk(face, box)
    await face.close()


async def test_an_officer_takes_a_pack_into_force(desk: Desk) -> None:
    await desk.offered()
    shown = await desk.face.page("/packs")
    assert "待工地人员决定" in shown
    assert HTML not in shown
    answer = await desk.face.submit("/packs", "/packs/k-1/approve")
    assert answer.headers["location"] == "/packs?done=active"
    assert "已启用并存证" in await desk.face.page("/packs?done=active")
    assert desk.box.limits() == [90]
    assert desk.box.sealed()[-1]["user"] == OFFICER.name


async def test_a_pack_is_declined_with_a_reason(desk: Desk) -> None:
    await desk.offered()
    await desk.face.submit("/packs", "/packs/k-1/decline", 422, reason=" ")
    await desk.face.submit("/packs", "/packs/k-1/decline", reason="与方案不符")
    assert "与方案不符" in await desk.face.page("/packs")
    assert desk.box.limits() == []


async def test_only_an_officer_decides_and_only_once(desk: Desk) -> None:
    await desk.offered()
    desk.face.who.now = LEADER
    assert "/packs/k-1/approve" not in await desk.face.page("/packs")
    desk.face.who.now = OFFICER
    csrf = await desk.face._csrf("/packs")
    desk.face.who.now = LEADER
    assert (await desk.face.client.post("/packs/k-1/approve", data={"csrf": csrf})).status_code == 403
    desk.face.who.now = OFFICER
    await desk.face.submit("/packs", "/packs/k-1/approve")
    await desk.offered("k-2")
    await desk.face.submit("/packs", "/packs/k-1/approve", 422)
    await desk.face.submit("/packs", "/packs/no-such-offer/approve", 422)


async def test_nobody_approves_what_a_later_offer_overtook(desk: Desk) -> None:
    await desk.offered()
    await desk.offered("k-2")
    await desk.face.submit("/packs", "/packs/k-1/approve", 422)
    await desk.face.submit("/packs", "/packs/k-2/approve")


async def test_a_pack_that_no_longer_fits_is_shown_as_refused(desk: Desk) -> None:
    await desk.offered()
    own = desk.box.site.parent / "rules" / "e2e.yaml"
    own.write_text(own.read_text().replace("e2e.moment.alarm", "county.moment"))
    await desk.face.submit("/packs", "/packs/k-1/approve")
    assert "校验未通过" in await desk.face.page("/packs")
    assert desk.box.limits() == []
    assert pack()["county.yaml"].splitlines()[0] in await desk.face.page("/packs")
