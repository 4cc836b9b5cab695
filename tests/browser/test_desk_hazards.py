"""Hazards in a browser: two people by keyboard, the board at midnight in Shanghai, axe on every page, two languages."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from regulator.base.deadline_days import end_of_day_ns
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.model.hazard_states import HazardAction
from regulator.base.packs import load_packs
from regulator.parts.hazards.catalogue_file import load_catalogue
from regulator.parts.hazards.office import HazardOffice
from regulator.parts.hazards.step import Ask
from tests.browser.axe import axe_clean
from tests.browser.looks import DESK, PHONE, Look, overflow_px
from tests.fakes.chromium import Troubles
from tests.fakes.desk_database import HOUR_NS, DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.hazard_bench import COUNTY, photo, register

Opened = Callable[..., Awaitable[Page]]
A = HazardAction
DUE = date(2026, 3, 16)
"""A general hazard ordered on 2026-03-01 is due 15 days later."""


class HazardFace:
    """A running desk with one project; hazards are opened and moved as its people would."""

    def __init__(self, face: DeskFace) -> None:
        assert isinstance(face.clock, DeskClock)
        self.face, self.clock = face, face.clock
        register(face.database)
        self.office = HazardOffice(face.desk, load_packs(face.settings.packs), load_catalogue())
        self._count = 0

    def person(self, duty: Duty) -> Actor:
        return self.face.actor(duty, COUNTY)

    def open(self, *actions: HazardAction, title: str = "临边防护缺失", **changes: Any) -> str:
        """Opened by the inspector, then moved by the reviewer; its id."""
        self._count += 1
        values: dict[str, Any] = {
            "project_code": "p1",
            "channel": Channel.INSPECTION,
            "kind": HazardKind.HAZARD,
            "grade": Grade.GENERAL,
            "title_zh": f"{title}{self._count}",
            "title_en": f"Edge rail missing {self._count}",
            "place_id": "edge-3",
            "observed_at_ns": self.clock() - HOUR_NS,
            "event_key": f"browser/{self._count}",
        }
        inspector, reviewer = self.person(Duty.INSPECTOR), self.person(Duty.REVIEWER)
        with self.face.database.transaction() as db:
            new = NewHazard(**(values | changes))
            hazard_id = self.office.open(db, new, inspector, self.clock())
            for action in actions:
                ask = Ask(action, grade_major="catalogue_code" in changes)
                self.office.act(db, hazard_id, ask, reviewer, self.clock())
        return hazard_id


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HazardFace]:
    with DeskFace(tmp_path_factory.mktemp("hazards"), DeskClock()) as face:
        yield HazardFace(face)


@pytest_asyncio.fixture(loop_scope="session")
async def open_desk(site: HazardFace, open_browser: Any) -> AsyncIterator[Opened]:
    """`await open_desk("/hazards", duty)`: a page of somebody with this duty in the county."""

    async def opened(path: str, duty: Duty = Duty.REVIEWER, look: Look = DESK) -> Page:
        context: Any = await open_browser(look, site.face.url)
        await context.add_cookies([site.face.log_in(duty, COUNTY)])
        page: Page = await context.new_page()
        await page.goto(f"{site.face.url}{path}")
        return page

    yield opened


@pytest.mark.parametrize("look", [DESK, DESK.by("dark").in_language("en"), PHONE], ids=str)
async def test_axe_finds_nothing_on_any_page(site: HazardFace, open_desk: Opened, look: Look) -> None:
    major = site.open(A.CONFIRM, A.ORDER, catalogue_code="MH24-8-4", catalogue_edition="2024")
    accident = site.open(kind=HazardKind.NON_FATAL_ACCIDENT)
    paths = ["/hazards", "/supervision", "/accidents", "/hazards/stock", f"/hazards/{major}", f"/hazards/{accident}"]
    page = await open_desk(paths[0], look=look)
    for path in paths:
        await page.goto(f"{site.face.url}{path}")
        await expect(page.locator("h1")).to_be_visible()
        for summary in await page.locator("details.action > summary").all():
            await summary.click()
        await axe_clean(page)
        assert await overflow_px(page) == 0, path
    entry = await open_desk("/hazards/new", Duty.INSPECTOR, look)
    await axe_clean(entry)


async def test_whoever_reported_it_put_right_is_not_offered_the_recheck_and_another_closes(
    site: HazardFace, open_desk: Opened, troubles: Troubles
) -> None:
    troubles.expect("422")
    hazard_id = site.open(A.CONFIRM, A.ORDER)
    page = await open_desk(f"/hazards/{hazard_id}", Duty.RESPONDER)
    await expect(page.get_by_text("复查合格，销号")).to_have_count(0)
    site_person = site.face.actor(Duty.RESPONDER, Scope(Level.PROJECT, "p1"))
    context: Any = page.context
    await context.clear_cookies()
    await context.add_cookies([site.face.log_in(Duty.RESPONDER, site_person.scope)])
    await page.goto(f"{site.face.url}/hazards/{hazard_id}")
    await _do(page, "提交整改", "已加装护栏", photo(11))
    await expect(page.locator("h1 .state")).to_have_text("待复查")
    await expect(page.locator("summary", has_text="复查合格")).to_have_count(0)
    reviewer = await open_desk(f"/hazards/{hazard_id}")
    await _do(reviewer, "复查合格，销号", "合格", None)
    await expect(reviewer.get_by_text("须附至少一项新证据")).to_be_visible()
    await reviewer.goto(f"{site.face.url}/hazards/{hazard_id}")
    await _do(reviewer, "复查合格，销号", "合格", photo(12))
    await expect(reviewer.locator("h1 .state")).to_have_text("销号")
    await expect(reviewer.locator(".events")).to_contain_text("复查合格，销号")


async def test_a_hazard_is_judged_by_keyboard_alone(site: HazardFace, open_desk: Opened) -> None:
    hazard_id = site.open()
    page = await open_desk(f"/hazards/{hazard_id}")
    for name, state in (("属实", "属实"), ("下达整改", "已下达")):
        summary = page.locator("details.action > summary", has_text=name).first
        await summary.focus()
        await page.keyboard.press("Enter")
        form = summary.locator("xpath=..")
        await form.get_by_label("说明").focus()
        await page.keyboard.type("按期整改")
        button = form.locator("button")
        for _ in range(3):
            if await button.evaluate("each => each === document.activeElement"):
                break
            await page.keyboard.press("Tab")
        await expect(button).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1 .state")).to_have_text(state)


async def test_the_board_turns_over_at_midnight_in_shanghai(site: HazardFace, open_desk: Opened) -> None:
    hazard_id = site.open(A.CONFIRM, A.ORDER, title="午夜到期")
    before = site.clock.at_ns
    try:
        site.clock.at_ns = end_of_day_ns(DUE) - 1_000_000_000
        page = await open_desk("/supervision")
        card = page.locator(".hazard-card").filter(has=page.locator(f'a[href="/hazards/{hazard_id}"]'))
        await expect(card).to_contain_text("今天到期")
        await expect(card).not_to_contain_text("逾期")
        site.clock.at_ns = end_of_day_ns(DUE)
        await page.reload()
        await expect(card).to_contain_text("逾期")
        await expect(card).not_to_contain_text("今天到期")
        await expect(card).to_contain_text("2026-03-16")
    finally:
        site.clock.at_ns = before


async def test_english_has_no_chinese_left_but_the_site_s_own_words(site: HazardFace, open_desk: Opened) -> None:
    hazard_id = site.open(A.CONFIRM, A.ORDER)
    page = await open_desk(f"/hazards/{hazard_id}", look=DESK.in_language("en"))
    await expect(page.locator("h1 .state")).to_have_text("ordered")
    await expect(page.get_by_role("heading", name="Deadlines")).to_be_visible()
    await expect(page.locator(".deadline").first).to_contain_text("General hazard: put right within 15 days")


async def _do(page: Page, action: str, words: str, picture: bytes | None) -> None:
    summary = page.locator("details.action > summary", has_text=action).first
    await summary.click()
    form = summary.locator("xpath=..")
    await form.get_by_label("说明").fill(words)
    if picture is not None:
        file: Any = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": picture}
        await form.locator('input[type="file"]').set_input_files([file])
    await form.locator("button").click()
