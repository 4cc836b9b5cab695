"""The registry in a browser: axe on every page by day and night, two languages, a wrong list, two people."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from openpyxl import Workbook
from playwright.async_api import Page, expect
from sqlalchemy import insert

from regulator.base.kinds import Category, DeviceKind, ItemLevel, WorkStage, WorkType
from regulator.base.listed import Listed
from regulator.base.model.actor import Duty
from regulator.base.records.tables.intake import boxes
from regulator.parts.registry.projects.device_office import DangerousWork, put_work, watch_work
from regulator.parts.registry.projects.set_office import Action, Proposal, SetRules, propose
from regulator.parts.registry.rounds.key_risk import list_by_hand
from regulator.parts.registry.rounds.round_office import open_round
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, Look, overflow_px
from tests.fakes.chromium import Troubles
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.registry_desk import ADMIN, RegistryDesk, person

Opened = Callable[..., Awaitable[Page]]


class RegistryFace:
    """A running desk with three projects, two of the set, one with a box that fell silent."""

    def __init__(self, face: DeskFace) -> None:
        assert isinstance(face.clock, DeskClock)
        self.face = face
        self.desk = RegistryDesk(face.database, face.desk.ledger, face.clock, SetRules("province", 500))
        self.desk.plant(3)
        self.desk.equip("p-001", "crane-1")
        self.desk.equip("p-001", "cam-1", kind=DeviceKind.CAMERA)
        self.desk.join("p-001", "p-002")
        pit = DangerousWork("p-001", "w-1", WorkType.PIT, "一号基坑", WorkStage.RUNNING, "2026-01-01")
        with self.desk.act(ADMIN) as act:
            put_work(act, pit)
            watch_work(act, "p-001", "w-1", "cam-1", watches=True)
            propose(act, self.desk.rules, Proposal(Action.ADD, "p-003", self.desk.today, Category.URBAN_RAIL))
            list_by_hand(act, Listed(ItemLevel.PROJECT, "p-002"))
            act.db.execute(
                insert(boxes).values(
                    box_id="box-1",
                    project_code="p-001",
                    verified_sha256="0" * 64,
                    last_seen_ns=face.clock() - 7_200_000_000_000,
                )
            )
        with self.desk.act(person("opener", face.actor(Duty.APPROVER).scope, Duty.APPROVER)) as act:
            self.round_id = open_round(act, "第一轮", self.desk.today, self.desk.today)

    def pages(self) -> tuple[str, ...]:
        """Every page of the registry."""
        sheet = f"/rounds/{self.round_id}/sheet?level=device&sheet=site&project=p-001&device=crane-1"
        own = f"/rounds/{self.round_id}"
        return "/projects", "/projects/p-001", "/set", "/coverage", "/import", "/rounds", own, sheet, "/key-risks"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryFace]:
    with DeskFace(tmp_path_factory.mktemp("registry"), DeskClock()) as face:
        yield RegistryFace(face)


@pytest_asyncio.fixture(loop_scope="session")
async def open_desk(registry: RegistryFace, open_browser: Any) -> AsyncIterator[Opened]:
    """`await open_desk("/set", duty)`: a page of somebody with this duty at the province."""

    async def opened(path: str, duty: Duty = Duty.ADMINISTRATOR, look: Look = DESK) -> Page:
        context = await open_browser(look, registry.face.url)
        await context.add_cookies([registry.face.log_in(duty)])
        page = await context.new_page()
        await page.goto(f"{registry.face.url}{path}")
        return page

    yield opened


@pytest.mark.parametrize(
    "look", [DESK, DESK.in_language("en").by("dark"), PHONE], ids=["zh-day", "en-night", "zh-phone"]
)
async def test_every_page_is_open_to_all(registry: RegistryFace, open_desk: Opened, look: Look) -> None:
    page = await open_desk("/me", Duty.ADMINISTRATOR, look)
    inspector = await open_desk("/me", Duty.INSPECTOR, look)
    for path in registry.pages():
        shown = inspector if "/sheet" in path or path == "/key-risks" else page
        await shown.goto(f"{registry.face.url}{path}")
        await expect(shown.locator("h1")).to_be_visible()
        for folded in await shown.locator("main details").all():
            await folded.evaluate("each => each.open = true")
        await axe_clean(shown)
        if look is PHONE:
            assert await overflow_px(shown) <= 0, path


async def test_a_silent_box_is_unknown_in_words(open_desk: Opened) -> None:
    page = await open_desk("/coverage")
    row = page.get_by_role("row").filter(has_text="p-001")
    await expect(row).to_contain_text("未知")
    await expect(row).to_contain_text("无消息")
    await expect(page.locator(".registry-headline")).to_contain_text("0.00 %")
    english = await open_desk("/coverage", look=DESK.in_language("en"))
    await expect(english.get_by_role("row").filter(has_text="p-001")).to_contain_text("silent since")


async def test_a_wrong_list_says_where_and_what(open_desk: Opened, troubles: Troubles) -> None:
    troubles.expect("422")
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "名录"
    for cells in (
        ["项目编码", "项目名称", "市区划代码"],
        ["b-1", "好的", 4401],
        ["b-2", "坏的", 9999],
        ["b-3", "=1+1", 4401],
    ):
        sheet.append(cells)
    book.save(kept := io.BytesIO())
    page = await open_desk("/import")
    file = {"name": "名录.xlsx", "mimeType": "application/octet-stream", "buffer": kept.getvalue()}
    await page.locator("#file").set_input_files(file)
    await page.get_by_role("button", name="预览").click()
    bad = page.get_by_role("region", name="搁置的行").get_by_role("row")
    await expect(bad).to_have_count(3)
    await expect(bad.nth(1)).to_contain_text("名录")
    await expect(bad.nth(1)).to_contain_text("没有市 9999")
    await expect(bad.nth(2)).to_contain_text("填写值，不用公式")
    await page.get_by_label("理由").fill("年度名录")
    await page.get_by_role("button", name="导入合格行").click()
    await expect(page.get_by_text("已于")).to_be_visible()
    await page.goto(page.url.split("/import")[0] + "/projects/b-1")
    await expect(page.locator("h1")).to_contain_text("好的")
    broken = await open_desk("/import")
    await broken.locator("#file").set_input_files(file | {"buffer": b"PK\x03\x04 broken"})
    async with broken.expect_response(lambda answer: answer.request.method == "POST") as posted:
        await broken.get_by_role("button", name="预览").click()
    assert (await posted.value).status == 422
    await expect(broken.get_by_role("alert")).to_contain_text("未作任何变更")
    await axe_clean(broken)


async def test_two_people_change_the_set(registry: RegistryFace, open_desk: Opened) -> None:
    first = await open_desk("/set")
    await first.get_by_text("提出变更").click()
    form = first.locator("details.card").filter(has_text="提出变更")
    await form.get_by_label("移出").check()
    await form.get_by_label("项目编号").fill("p-002")
    await form.get_by_label("生效日").fill("2026-03-02")
    await form.get_by_label("理由", exact=True).fill("竣工")
    await form.get_by_role("button", name="提出").click()
    row = first.get_by_role("region", name="待决定的提案").get_by_role("row").filter(has_text="p-002")
    await expect(row).to_contain_text("移出")
    await expect(row.get_by_text("决定")).to_have_count(0)
    second = await open_desk("/set", Duty.APPROVER)
    row = second.get_by_role("region", name="待决定的提案").get_by_role("row").filter(has_text="p-002")
    await row.get_by_text("决定").click()
    await row.get_by_label("理由").fill("同意移出")
    await row.get_by_role("button", name="批准", exact=True).click()
    decided = second.get_by_role("region", name="最近的决定").get_by_role("row").filter(has_text="同意移出")
    await expect(decided).to_contain_text("已批准")
