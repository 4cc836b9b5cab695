"""R1 in a browser: 500 tiles that never move, few bytes, every change in order and none lost, keys, pictures."""

import asyncio
import base64
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, Response, expect
from sqlalchemy import select, update

from contract.messages import CameraStill
from regulator.base.days import day_of
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.heard import Heard
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.schema import prepare
from regulator.base.records.tables.project_set import set_memberships
from regulator.base.records.tables.wall import wall_tiles
from regulator.parts.wall.making import TileMaker
from regulator.parts.wall.reading import Change, changes_after
from regulator.parts.wall.stills import take_still
from tests.browser.axe import axe_clean
from tests.browser.conftest import OpenBrowser
from tests.browser.looks import PHONE, WALL, Look, overflow_px
from tests.fakes.chromium import Troubles
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.fault_proxy import FaultProxy, Mode
from tests.fakes.wall_world import CITIES, SET, code_of, fixed_order, plant_set, raise_alarm

COUNT = 500
MOST_BYTES = 60_000
AT_ONCE = 48
CODES = "all => all.map(each => each.dataset.code)"
WATCH_ORDER = """() => {
  window.seqs = [];
  const wall = document.getElementById("wall");
  new MutationObserver(() => window.seqs.push(Number(wall.dataset.seq)))
    .observe(wall, { attributes: true, attributeFilter: ["data-seq"] });
}"""


def _jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (160, 90), (90, 120, 140)).save(out, "JPEG")
    return out.getvalue()


JPEG = _jpeg()


class Wall:
    """A desk with the whole set, and what makes its tiles, apart from the process that is looked at."""

    def __init__(self, folder: Path) -> None:
        self.clock = DeskClock()
        self.database = DeskDatabase(f"sqlite:///{folder / 'desk.db'}")
        prepare(self.database)
        plant_set(self.database, COUNT, day_of(self.clock()), self.clock())
        self.maker = TileMaker(self.database, SET, 10**6)
        self.maker.run(self.clock())
        self.folder = folder

    def face(self) -> DeskFace:
        """One process of the desk."""
        return DeskFace(self.folder, self.clock, database=self.database)

    def alarm(self, number: int, name: str) -> str:
        """One more alarm, and the tiles made anew; the project's code."""
        code = raise_alarm(self.database, number, name, self.clock.move(seconds=1))
        assert self.maker.run(self.clock()) == 1
        return code

    def changes(self) -> list[Change]:
        """How all tiles stand."""
        with self.database.reading() as db:
            return changes_after(db, 0)


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    made = Wall(tmp_path_factory.mktemp("wall"))
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def face(wall: Wall) -> Iterator[DeskFace]:
    """The process that most tests look at."""
    with wall.face() as running:
        yield running


async def opened(
    face: DeskFace, open_browser: OpenBrowser, path: str = "/wall", look: Look = WALL, at: str = ""
) -> Page:
    url = at or face.url
    context = await open_browser(look, url)
    await context.add_cookies([face.log_in(Duty.REVIEWER) | {"url": url}])
    page = await context.new_page()
    await page.goto(f"{url}{path}")
    await expect(page.locator("#wall[data-ready]")).to_be_attached()
    return page


async def live(page: Page) -> None:
    """The feed is connected."""
    await expect(page.locator("html")).to_have_attribute("data-feed", "live")


async def test_five_hundred_tiles_stand_in_a_fixed_order_within_sixty_kilobytes(
    face: DeskFace, wall: Wall, open_browser: OpenBrowser
) -> None:
    context = await open_browser(WALL, face.url)
    await context.add_cookies([face.log_in(Duty.REVIEWER)])
    page = await context.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - a bound method of list is refused
    await page.goto(f"{face.url}/wall")
    await live(page)
    assert await page.locator(".tile").evaluate_all(CODES) == fixed_order(COUNT)
    own = [answer for answer in answers if "/api/wall/events" not in answer.url]
    sizes = {answer.url: len(await answer.body()) for answer in own if answer.status == 200}
    assert any(url.endswith("/wall") for url in sizes)
    assert any(url.endswith("wall.js") for url in sizes)
    assert sum(sizes.values()) <= MOST_BYTES, sizes
    await axe_clean(page)


async def test_every_change_is_applied_in_order_and_none_is_lost_while_the_desk_restarts(
    face: DeskFace, wall: Wall, open_browser: OpenBrowser, troubles: Troubles
) -> None:
    troubles.server_goes_away()
    first = wall.face()
    async with FaultProxy(_port(first)) as proxy:
        with first:
            page = await opened(face, open_browser, at=f"http://127.0.0.1:{proxy.port}")
            await live(page)
            await page.evaluate(WATCH_ORDER)
            for number in range(20):
                await asyncio.to_thread(wall.alarm, number * 7, f"a{number}")
            await expect(page.locator(f'[data-code="{code_of(19 * 7)}"] .chip')).to_be_visible()
            await proxy.set_mode(Mode.REFUSE)
        await expect(page.locator("#wall-stale")).to_be_visible()
        for number in range(20):
            await asyncio.to_thread(wall.alarm, number * 11 + 200, f"b{number}")
        with wall.face() as second:
            proxy.target_port = _port(second)
            await proxy.set_mode(Mode.PASS)
            await live(page)
            last = await asyncio.to_thread(wall.alarm, 499, "c")
            await expect(page.locator(f'[data-code="{last}"] .chip')).to_be_visible()
            await _all_shown(page, wall)
            seqs = await page.evaluate("window.seqs")
            assert seqs == sorted(set(seqs))
            assert seqs[-1] == wall.changes()[-1].seq


async def test_what_half_a_second_brings_is_painted_in_one_frame(
    face: DeskFace, wall: Wall, open_browser: OpenBrowser
) -> None:
    """Each frame with a change paints the whole wall anew: eight of them cost eight times as much."""
    page = await opened(face, open_browser)
    await live(page)
    await page.evaluate(WATCH_ORDER)
    for number in range(100, 100 + AT_ONCE):
        raise_alarm(wall.database, number, "at-once", wall.clock.move(seconds=1))
    assert wall.maker.run(wall.clock()) == AT_ONCE
    last = wall.changes()[-1].seq
    await expect(page.locator("#wall")).to_have_attribute("data-seq", str(last))
    assert await page.evaluate("window.seqs") == [last]
    await _all_shown(page, wall)


async def _all_shown(page: Page, wall: Wall) -> None:
    """Each of the 500 tiles says what the database says."""
    found = await page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".tile")].map(tile => {
          const chip = tile.querySelector(".chip");
          return [tile.dataset.code, [chip.hidden ? "" : chip.textContent, tile.querySelector(".said").textContent]];
        }))"""
    )
    for change in wall.changes():
        tile = change.tile
        counts = f"{tile.alarms_today}·{tile.hazards}·{tile.overdue}"
        assert found[change.project_code] == [("", "■1")[tile.worst], counts], change


async def test_arrows_go_from_tile_to_tile_staying_opens_the_card_and_enter_the_project(
    face: DeskFace, wall: Wall, open_browser: OpenBrowser
) -> None:
    order = fixed_order(COUNT)
    page = await opened(face, open_browser)
    await page.locator(".tile").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        await page.keyboard.press(key)
    assert await page.evaluate("document.activeElement.dataset.code") == order[1]
    before = await page.evaluate("document.activeElement.getBoundingClientRect().top")
    await page.keyboard.press("ArrowDown")
    assert await page.evaluate("document.activeElement.getBoundingClientRect().top") > before
    await page.keyboard.press("ArrowUp")
    assert await page.evaluate("document.activeElement.dataset.code") == order[1]
    await expect(page.locator("#wall-card")).to_contain_text(order[1])
    await expect(page.locator("#wall-card .unknown-word")).to_contain_text("未评分")
    await axe_clean(page, "#wall-card")  # the wall around it: see the first test
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/projects/{order[1]}", wait_until="commit")


async def test_filters_and_modes_are_in_the_address_and_unknown_is_hatched(
    face: DeskFace, wall: Wall, open_browser: OpenBrowser
) -> None:
    page = await opened(face, open_browser, f"/wall?city={CITIES[2]}&mode=risk")
    shown = page.locator("#wall li:not([hidden]) > .tile")
    here = [code for code in fixed_order(COUNT) if code[3:7] == CITIES[2]]
    await expect(shown).to_have_count(len(here))
    assert await page.locator("#wall li:not([hidden]) > .tile.unknown").count() == len(here)
    await expect(shown.first).to_contain_text("未评分")
    await page.locator("#f-category").select_option("1")
    rail = [code for code in here if int(code[-3:]) % 3 == 1]
    await expect(shown).to_have_count(len(rail))
    await page.locator('[data-mode-choice="coverage"]').click()
    assert "mode=coverage" in page.url
    assert "category=1" in page.url


async def test_pictures_come_for_tiles_in_view_only_and_say_when_they_are_old(
    face: DeskFace, wall: Wall, open_browser: OpenBrowser
) -> None:
    order = fixed_order(COUNT)
    for code in (order[0], order[-1]):
        _still(wall, code)
    asked: list[str] = []
    context = await open_browser(PHONE, face.url)
    await context.add_cookies([face.log_in(Duty.REVIEWER)])
    page = await context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{face.url}/wall?mode=thumbnail")
    first = page.locator(".tile").first
    await expect(first.locator("img")).to_be_visible(timeout=20_000)
    stills = [url.rpartition("/")[2] for url in asked if "/api/wall/stills/" in url]
    events = next(place for place, url in enumerate(asked) if "wall_worker.js" in url or "/events" in url)
    assert order[-1] not in stills
    assert events < next(place for place, url in enumerate(asked) if "/api/wall/stills/" in url)
    assert await overflow_px(page) <= 0
    await expect(page.locator(".tile").nth(1)).to_contain_text("无画面")


async def test_whoever_may_see_one_city_is_told_of_no_other(
    face: DeskFace, wall: Wall, open_browser: OpenBrowser
) -> None:
    city = Scope(Level.CITY, CITIES[4])
    context = await open_browser(WALL, face.url)
    await context.add_cookies([face.log_in(Duty.REVIEWER, city)])
    page = await context.new_page()
    await page.goto(f"{face.url}/wall")
    await live(page)
    here = [code for code in fixed_order(COUNT) if code[3:7] == CITIES[4]]
    assert await page.locator(".tile").evaluate_all(CODES) == here
    mine, other = int(here[0][-3:]), int(fixed_order(COUNT)[0][-3:])
    await asyncio.to_thread(wall.alarm, other, "elsewhere")
    await asyncio.to_thread(wall.alarm, mine, "here")
    await expect(page.locator(f'[data-code="{here[0]}"] .chip')).to_be_visible()
    client = face.client(Duty.REVIEWER, city)
    told = client.get("/api/wall/changes?after=0").json()
    assert {row[0] for row in told["rows"]} == set(here)
    assert client.get(f"/api/wall/stills/{fixed_order(COUNT)[0]}").status_code == 404
    with wall.database.reading() as db:
        assert db.scalar(select(wall_tiles.c.worst).where(wall_tiles.c.project_code == code_of(other))) == 1


async def test_a_project_that_leaves_lets_the_others_stand_where_they_were(
    face: DeskFace, wall: Wall, open_browser: OpenBrowser
) -> None:
    gone = code_of(123)
    page = await opened(face, open_browser)
    await live(page)
    with wall.database.transaction() as db:
        mine = set_memberships.c.project_code == gone
        db.execute(update(set_memberships).where(mine).values(until_day=day_of(wall.clock()).isoformat()))
    left = [code for code in fixed_order(COUNT) if code != gone]
    await expect(page.locator(".tile")).to_have_count(COUNT - 1, timeout=25_000)
    assert await page.locator(".tile").evaluate_all(CODES) == left


def _still(wall: Wall, code: str) -> None:
    said = CameraStill(
        camera_id="cam-1",
        captured_at_ns=wall.clock(),
        media_type="image/jpeg",
        width_px=160,
        height_px=90,
        sha256=hashlib.sha256(JPEG).hexdigest(),
        data_base64=base64.b64encode(JPEG).decode(),
    )
    with wall.database.transaction() as db:
        take_still(db, Heard("box-0", code, said), wall.clock())


def _port(face: DeskFace) -> int:
    return int(face.url.rpartition(":")[2])
