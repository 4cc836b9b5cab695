"""The tour of the demonstration, walked in a headless Chromium as its people would walk it, with a picture a step.

    alarm on the site page -> live video at the desk -> judged -> ordered -> answered on the site page
    -> rechecked by another person, closed -> evidence package, verified -> a draw, drawn again by anybody -> first page

In: where the demo is reached and who may log in (`DemoPlaces`). Out: `Walked`: every step with its seconds, what was
measured, and the step that failed, if one did. The pages are found by what they are (ids, names, addresses), not by
their words, so that a change of wording breaks nothing here. Needs Playwright (`sitewarden.demo.browser`).
"""

import asyncio
import io
import re
import shutil
import sys
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.async_api import Browser, BrowserContext, Error, FilePayload, Locator, Page, async_playwright

from screens.formats import SITE_ZONE
from sitewarden.demo.browser import chromium_path
from sitewarden.demo.run import LIVE_PROJECT, SITE_PEOPLE, DemoPlaces, Say

WINDOW = (1440, 900)
STEP_WITHIN_S, PAGE_WITHIN_MS, AGAIN_S = 90.0, 15_000, 1.0
SETTLED_MS = 400
MOST_PICTURE_BYTES = 200_000
DRAW_FROM_SITES = 100
"""A draw is walked where there is a province to draw from: its public value comes a minute after the freeze."""
RULE_ZH, RULE_EN = "人员位于无防护临边", "Person at an unprotected edge"
"""The alarm of the tour: a P1 with picture and curve, raised while somebody stands at the gap."""
JUDGE, SECOND, LEADER, OVERLOOKER, OFFICER = "xianjia", "xianyi", "shengpi", "shengting", "anquan"
"""The county's two reviewers, who leads draws for the province, who looks at all of it, the site's safety officer."""
_PAINTED = "video => new Promise(done => video.requestVideoFrameCallback(() => done(video.videoWidth)))"
_QUIET = "() => document.fonts.ready.then(() => true)"


class StepFailedError(Exception):
    """What was expected of a page and did not come."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk: the browser, and what one step leaves to the next in `found`. `folder`: of what is downloaded;
    `photo`: what people photograph."""

    browser: Browser
    places: DemoPlaces
    folder: Path
    pictures: Path
    photo: Path
    found: dict[str, str] = field(default_factory=dict)
    contexts: dict[str, BrowserContext] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    """In the order in which they were opened."""

    async def page(self, address: str, login: str = "", language: str = "zh-CN") -> Page:
        """A page of this person, who logs in the first time."""
        context = await self._context(login, language)
        page = await context.new_page()
        self.pages.append(page)
        await page.goto(address)
        return page

    def desk(self, path: str) -> str:
        """The address of a page at the desk."""
        return f"{self.places.desk_url}{path}"

    def site(self, path: str) -> str:
        """An address on the site page."""
        return f"{self.places.site_url}{path}"

    async def picture(self, page: Page, name: str) -> str:
        """The page as it stands, among the walk's pictures."""
        await page.evaluate(_QUIET)
        await page.wait_for_timeout(SETTLED_MS)
        body = await page.screenshot()
        await asyncio.to_thread(_keep_small, body, self.pictures / f"{name}.png")
        return f"{name}.png"

    async def _context(self, login: str, language: str) -> BrowserContext:
        key = f"{login} {language}"
        if key not in self.contexts:
            size = {"width": WINDOW[0], "height": WINDOW[1]}
            context = await self.browser.new_context(viewport=size, accept_downloads=True)  # type: ignore[arg-type]
            context.set_default_timeout(PAGE_WITHIN_MS)
            cookie = {"name": "language", "value": language}
            urls = (self.places.site_url, self.places.desk_url)
            await context.add_cookies([{**cookie, "url": url} for url in urls])  # type: ignore[typeddict-item]
            self.contexts[key] = context
            if login:
                await self._log_in(context, login)
        return self.contexts[key]

    async def _log_in(self, context: BrowserContext, login: str) -> None:
        site = {person.login: person for person in SITE_PEOPLE}
        person = site.get(login) or self.places.people[login]
        page = await context.new_page()
        await page.goto(self.site("/login") if login in site else self.desk("/login"))
        await page.locator("input[name=login], input[name=name]").fill(login)
        await page.locator("input[name=password]").fill(person.password)
        async with page.expect_navigation():
            await page.locator("input[name=password]").press("Enter")
        await page.close()


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it is called on the terminal, and what does it. It returns the page that is pictured."""

    name: str
    zh: str
    en: str
    walk: Callable[[Walk], Awaitable[Page]]
    pictured: bool = True


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step that was walked. `picture`: its file among the pictures, empty for a step without one."""

    name: str
    seconds: float
    picture: str


@dataclass(frozen=True, slots=True)
class Walked:
    """`failed`: the first step that could not be done, and why; empty when all were. `first_picture_ms`: from asking
    for live video to its first painted picture. `found`: what the steps read from the pages."""

    folder: str
    steps: tuple[StepDone, ...]
    failed: str
    found: dict[str, str]

    @property
    def first_picture_ms(self) -> int | None:
        """Milliseconds; None when it was never asked for."""
        said = self.found.get("first_picture_ms")
        return int(said) if said else None


async def walk(places: DemoPlaces, folder: Path, pictures: Path, photo: Path, sites: int, say: Say) -> Walked:
    """All steps, or those before the first that fails; never raises for a page that is not as expected. `photo`: a
    picture of the edge with its whole rail. `sites`: projects at the desk."""
    steps = STEPS if sites >= DRAW_FROM_SITES else [step for step in STEPS if step not in DRAW]
    for each in (folder, pictures):
        await asyncio.to_thread(each.mkdir, parents=True, exist_ok=True)
    async with _browser() as browser:
        one, done, failed = Walk(browser, places, folder, pictures, photo), list[StepDone](), ""
        for number, step in enumerate(steps, 1):
            began = time.monotonic()
            try:
                async with asyncio.timeout(STEP_WITHIN_S):
                    page = await step.walk(one)
                    shown = sum(bool(each.picture) for each in done) + 1
                    picture = await one.picture(page, f"walk-{shown:02d}") if step.pictured else ""
            except (Error, StepFailedError, TimeoutError) as error:
                failed = f"{step.name}: {str(error) or 'took too long'}"
                await _picture_of_failure(one)
                say(f"{number}/{len(steps)} ✘ {step.zh} {step.en}: {failed}")
                break
            done.append(StepDone(step.name, round(time.monotonic() - began, 1), picture))
            say(f"{number}/{len(steps)} ✔ {step.zh} {step.en} ({done[-1].seconds} s)")
        return Walked(str(folder), tuple(done), failed, one.found)


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), headless=True)
        try:
            yield browser
        finally:
            await browser.close()


async def _picture_of_failure(one: Walk) -> None:
    if one.pages and not one.pages[-1].is_closed():
        await one.pages[-1].screenshot(path=one.pictures / "walk-failed.png")


async def _site(one: Walk) -> Page:
    """The alarm on the site page: in both languages, once the alarm of the tour stands there."""
    page = await one.page(one.site("/"))
    await page.get_by_text(RULE_ZH).first.wait_for(timeout=STEP_WITHIN_S * 1000)
    await one.picture(page, "site-zh-CN")
    english = await one.page(one.site("/"), language="en")
    await english.get_by_text(RULE_EN).first.wait_for()
    await one.picture(english, "site-en")
    await english.close()
    return page


async def _freeze(one: Walk) -> Page:
    """The pool of a random draw: it is drawn later, with a value that was published after this."""
    page = await one.page(one.desk("/draws"), LEADER)
    await page.locator("#n-name").fill("示范双随机抽查")
    await page.locator("#n-reason").fill("示范抽查计划")
    await page.locator("#n-reason").press("Enter")
    await page.wait_for_url(re.compile(r"/draws/[0-9a-f]{32}$"))
    one.found["draw"] = page.url.rpartition("/")[2]
    one.found["frozen_at"] = datetime.now(SITE_ZONE).isoformat()
    return page


async def _live(one: Walk) -> Page:
    """From the button on the project's page to the first painted picture."""
    page = await one.page(one.desk(f"/projects/{LIVE_PROJECT}"), JUDGE)
    await page.locator(f'a[href^="/live/{LIVE_PROJECT}/"]').first.click()
    await page.locator("#reason").fill("复核临边防护")
    began = time.monotonic()
    await page.locator("form.card button").click()
    await page.locator("video").evaluate(_PAINTED)
    one.found["first_picture_ms"] = str(round((time.monotonic() - began) * 1000))
    return page


async def _judge(one: Walk) -> Page:
    """The item with its picture and its curve; true, and on to the order."""
    page = await one.page(one.desk(f"/review?q={RULE_ZH}"), JUDGE)
    row = page.locator("#queue button[data-row]").filter(has_text=RULE_ZH).first
    await row.wait_for(timeout=STEP_WITHIN_S * 1000)
    await row.click()
    await page.locator("#still, #clip").and_(page.locator(":visible")).first.wait_for()
    await _shown(page.locator("#still"))
    await _shown(page.locator("#curve"))
    return page


async def _order(one: Walk) -> Page:
    """By the key D to the hazard's page; the order goes to the site."""
    page = one.contexts[f"{JUDGE} zh-CN"].pages[-1]
    await page.locator("#item-title").press("d")
    await page.locator("#order-now").click()
    await page.wait_for_url(re.compile(r"/hazards/hz-[0-9a-f]+"))
    one.found["hazard"] = page.url.partition("/hazards/")[2].partition("?")[0]
    await _act(one, page, "order", "立即补设临边防护栏杆")
    await page.locator('a[href^="/documents/"]').first.wait_for()
    return page


async def _answer(one: Walk) -> Page:
    """On the site page under Orders: put right, with a photo; sealed in the box's chain."""
    page = await one.page(one.site("/orders"), OFFICER)
    link = page.locator("a.order-link")
    await _reloaded_until(page, link, "the order on the site page")
    await link.first.click()
    await page.locator('input[name="answer"][value="rectified"]').check()
    await page.locator("#words").fill("栏杆已恢复，现场已检查")
    await _attach(page.locator("#album"), one, "PUT RIGHT")
    await page.locator("form[data-order-form] button.primary").click()
    await page.locator(".order-reply").first.wait_for()
    return page


async def _close(one: Walk) -> Page:
    """Another person rechecks with a photo and closes, once the alarm has returned to normal."""
    page = await one.page(one.desk(f"/hazards/{one.found['hazard']}"), SECOND)
    closing = page.locator("details.action").filter(has=page.locator('input[name="step"][value="close"]'))
    await _reloaded_until(page, closing, "the recheck, offered to a second person")
    alone = closing.filter(has_not=page.locator('textarea[name="override"]'))
    await _reloaded_until(page, alone, "the alarm back to normal")
    await _act(one, page, "close", "复查合格，栏杆完好", "RECHECK")
    await page.locator("details.action").filter(has=page.locator('input[value="close"]')).wait_for(state="detached")
    return page


async def _package(one: Walk) -> Page:
    """The evidence package, downloaded, unpacked, and verified by the two documented commands."""
    page = await one.page(one.desk(f"/hazards/{one.found['hazard']}"), SECOND)
    async with page.expect_download() as download:
        await page.locator('a[href$="/package"]').click()
    package, unpacked = one.folder / "package.zip", one.folder / "package"
    await (await download.value).save_as(package)
    await asyncio.to_thread(_unpack, package, unpacked)
    published = await one.page(one.desk("/verify"), SECOND)
    key_id = (await published.locator("code.digest").first.inner_text()).strip()
    plain = shutil.which("python3") or sys.executable
    for name, command in {
        "sitewarden verify": [sys.executable, "-m", "sitewarden", "verify", str(package.resolve()), "--key", key_id],
        "python3 verify.py": [plain, "verify.py", ".", key_id],
    }.items():
        one.found[name] = await _run(command, unpacked if "verify.py" in command else Path.cwd())
    return await one.page((unpacked / "index.html").resolve().as_uri())


async def _draw(one: Walk) -> Page:
    """Drawn with a value that was published after the freeze; pool and seed are there for whoever draws it again."""
    page = await one.page(one.desk(f"/draws/{one.found['draw']}"), LEADER)
    frozen = datetime.fromisoformat(one.found["frozen_at"])
    public = (frozen + timedelta(minutes=1)).replace(second=0, microsecond=0)
    await asyncio.sleep(max(0.0, (public - datetime.now(SITE_ZONE)).total_seconds() + 0.5))
    await page.locator("#d-value").fill("3141.59")
    await page.locator("#d-source").fill("示范指数收盘")
    await page.locator("#d-at").fill(public.strftime("%Y-%m-%dT%H:%M"))
    await page.locator('form[action$="/draw"] button').click()
    await _reloaded_until(page, page.locator('a[href$="/result.json"]'), "the result, public on its day")
    seed = page.locator("dd.digest").last
    one.found["draw_seed"] = (await seed.inner_text()).strip()
    for name in ("pool", "result"):
        async with page.expect_download() as download:
            await page.locator(f'a[href$="/{name}.json"]').click()
        await (await download.value).save_as(one.folder / f"draw-{name}.json")
    return page


async def _overview(one: Walk) -> Page:
    """The desk's first page in both languages, with the set's coverage; statistics of the last thirty days."""
    page = await one.page(one.desk("/"), OVERLOOKER)
    headline = page.locator('.home-big a[href="/coverage"] b')
    one.found["coverage_percent"] = (await headline.inner_text()).removesuffix("%").strip()
    await one.picture(page, "desk-zh-CN")
    english = await one.page(one.desk("/"), OVERLOOKER, "en")
    await one.picture(english, "desk-en")
    figures = await one.page(one.desk("/statistics?period=30d"), OVERLOOKER)
    rows = figures.locator('tr[id^="figure-"].unknown')
    unknown = await rows.evaluate_all("all => all.map(each => each.id.slice('figure-'.length))")
    one.found["statistics_unknown"] = " ".join(unknown)
    await figures.close()
    return page


DRAW = (
    Step("freeze", "冻结抽查库", "the pool of a draw is frozen", _freeze, pictured=False),
    Step("draw", "双随机抽取", "the draw, public on its day", _draw),
)
STEPS = (
    DRAW[0],
    Step("site", "现场页", "the alarm on the site page", _site),
    Step("live", "实时视频", "live video at the desk", _live),
    Step("judge", "研判", "the item at the desk, with picture and curve", _judge),
    Step("order", "下达整改", "judged true, and ordered", _order),
    Step("answer", "现场答复", "answered on the site page", _answer),
    Step("close", "复查销号", "rechecked by another person, closed", _close),
    Step("package", "证据包核验", "the evidence package, verified", _package),
    Step("overview", "总览", "the desk's first page", _overview),
    DRAW[1],
)


async def _act(one: Walk, page: Page, step: str, words: str, photo: str = "") -> None:
    """One action on a hazard's page."""
    action = page.locator("details.action").filter(has=page.locator(f'input[name="step"][value="{step}"]')).first
    await action.locator("summary").click()
    await action.locator('textarea[name="words"]').fill(words)
    if photo:
        await _attach(action.locator('input[type="file"]'), one, photo)
    async with page.expect_navigation():
        await action.locator("button").click()


async def _attach(field: Locator, one: Walk, words: str) -> None:
    """A photo of its own: no two are the same bytes."""
    body = await asyncio.to_thread(_photo, one.photo, words)
    await field.set_input_files([FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=body)])


async def _shown(image: Locator) -> None:
    """Until the picture has come and can be shown. Raises StepFailedError."""
    width = await image.evaluate("image => image.decode().then(() => image.naturalWidth, () => 0)")
    if not width:
        raise StepFailedError(f"{image}: no picture")


async def _reloaded_until(page: Page, wanted: Locator, what: str) -> None:
    """Load the page again until it is there. Raises StepFailedError."""
    for _ in range(int(STEP_WITHIN_S / AGAIN_S) - 5):
        if await wanted.count():
            return
        await asyncio.sleep(AGAIN_S)
        await page.reload()
    raise StepFailedError(f"never came: {what}")


def _unpack(package: Path, folder: Path) -> None:
    with zipfile.ZipFile(package) as opened:
        opened.extractall(folder)


def _keep_small(body: bytes, path: Path) -> None:
    """As a PNG of at most 256 colours, and of 64 where that is more than `MOST_PICTURE_BYTES`."""
    with Image.open(io.BytesIO(body)) as whole:
        for colours in (256, 64):
            out = io.BytesIO()
            whole.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
            if out.tell() <= MOST_PICTURE_BYTES:
                break
    path.write_bytes(out.getvalue())


def _photo(place: Path, words: str) -> bytes:
    """What somebody on the site takes of the edge with its whole rail, as JPEG; the words and the time stand in it."""
    with Image.open(place) as scene:
        photo = scene.convert("RGB")
        said = f"{words}  {datetime.now(SITE_ZONE):%Y-%m-%d %H:%M:%S}"
        ImageDraw.Draw(photo).text((16, photo.height - 40), said, fill="white", stroke_fill="black", stroke_width=2)
        out = io.BytesIO()
        photo.save(out, "JPEG", quality=85)
        return out.getvalue()


async def _run(command: list[str], folder: Path) -> str:
    """Its exit status and last line. Raises StepFailedError unless it is 0."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    out = (await process.communicate())[0].decode(errors="replace").strip()
    if process.returncode != 0:
        raise StepFailedError(f"{' '.join(command)}: exit status {process.returncode}: {out[-500:]}")
    return out.rpartition("\n")[2]
