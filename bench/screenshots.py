"""`make screenshots`: every page of the box, normal and in alarm, in both languages, by day and night, as a phone and
the wall show it.

    python -m bench.screenshots                                  # all, into screenshots/
    python -m bench.screenshots --only overview alarm --looks wall --languages zh-CN

In: the windy afternoon, held still. Out: `screenshots/<state>/<page>-<look>-<language>-<theme>.png`, of a phone's page
also the `-whole` of it. Exit status 1
when a page could not be opened or said something in its console; that is printed, and the other pictures are made.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from bench.story_box import StoryBox
from gateway.accounts.person import Role
from tests.browser.looks import LANGUAGES, PHONE, THEMES, WALL, Look
from tests.fakes.chromium import Outside, Troubles, launch
from tests.fakes.screen_pages import PAGES, ScreenPage, path_of
from tests.fakes.screen_people import ScreenPeople

CLIMAX_S = 31.0
SETTLE_MS = 400
LOOKS = {look.name: look for look in (PHONE, WALL)}
SAID = (r"status of 404 .*no-such-alarm", "AudioContext was not allowed to start")
WITHOUT_LIVE = ("login", "alarm-sheet", "refused")


@dataclass(frozen=True)
class Wanted:
    """What of all that there is."""

    folder: Path
    pages: Sequence[ScreenPage]
    looks: Sequence[Look]
    languages: Sequence[str]
    themes: Sequence[str]

    def views(self) -> Iterator[Look]:
        """Every way to look."""
        for look in self.looks:
            for language in LANGUAGES:
                for theme in THEMES:
                    if language in self.languages and theme in self.themes:
                        yield look.in_language(language).by(theme)


class Camera:
    """Takes the pictures of one box. `faults` grows with what went wrong."""

    def __init__(self, box: StoryBox, browser: Browser, wanted: Wanted) -> None:
        self._box = box
        self._browser = browser
        self._wanted = wanted
        self._cookie = ScreenPeople(box).log_in(Role.ADMINISTRATOR)
        self.faults: list[str] = []
        self.taken = 0

    async def take(self, state: str, alarm_id: str) -> None:
        """Every page in this state of the site; those of an alarm only where there is one."""
        pages = [page for page in self._wanted.pages if alarm_id or not page.path.startswith("/alarms/{")]
        for look in self._wanted.views():
            for page in [page for page in pages if page.hands or not look.touch]:
                await self._shoot(state, page, path_of(page, alarm_id), look)

    async def _shoot(self, state: str, page: ScreenPage, path: str, look: Look) -> None:
        target = self._wanted.folder / state / f"{page.name}-{look}.png"
        with Outside() as outside:
            troubles = Troubles(outside)
            troubles.expect(*SAID)
            context = await self._browser.new_context(proxy=outside.proxy, **look.options())
            troubles.watch(context)
            await context.add_cookies([*look.cookies(self._box.url), *([self._cookie] if page.role else [])])
            try:
                opened = await context.new_page()
                answer = await opened.goto(self._box.url + path)
                if answer is None or answer.status != page.status:
                    raise OSError(f"status {answer.status if answer else 'none'}, expected {page.status}")
                if page.name not in WITHOUT_LIVE:
                    await opened.locator("html[data-feed=live]").wait_for(state="attached", timeout=10_000)
                await opened.wait_for_timeout(SETTLE_MS)
                await opened.screenshot(path=target)
                if look.touch:
                    await opened.screenshot(path=target.with_stem(f"{target.stem}-whole"), full_page=True)
                self.taken += 1
            except Exception as error:  # noqa: BLE001 - said at the end, and the other pictures are made
                self.faults.append(f"{target.name}: {error}")
            finally:
                await context.close()
            self.faults += [f"{target.name}: {text}" for text in troubles.unexpected()]


def story_alarm(box: StoryBox) -> str:
    """Somebody has seen one alarm and put another on the shelf; the gravest that nobody has seen is looked at."""
    alarms = sorted(box.alarms(), key=lambda alarm: (alarm["severity"], alarm["raised_at_ns"]))
    lesser = [alarm for alarm in alarms if alarm["severity"] in ("P2", "P3")]
    if len(lesser) > 1:
        box.command(lesser[0]["alarm_id"], "acknowledge", reason="已通知司机停止起升")
        box.command(lesser[-1]["alarm_id"], "shelve", reason="仪表校准中", for_s=3600)
    return str(alarms[0]["alarm_id"])


async def photograph(wanted: Wanted) -> Camera:
    """All pictures."""
    with tempfile.TemporaryDirectory() as folder, StoryBox(Path(folder)) as box:
        async with async_playwright() as playwright:
            browser = await launch(playwright)
            camera = Camera(box, browser, wanted)
            await camera.take("normal", "")
            box.bring_survey()
            box.go_on_to(CLIMAX_S)
            await camera.take("alarm", story_alarm(box))
            await browser.close()
    return camera


def main() -> int:
    """Take them, and say what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [page.name for page in PAGES]
    parser.add_argument("--folder", type=Path, default=Path("screenshots"))
    parser.add_argument("--only", nargs="+", default=names, choices=names, metavar="PAGE", help=" ".join(names))
    parser.add_argument("--looks", nargs="+", default=list(LOOKS), choices=list(LOOKS))
    parser.add_argument("--languages", nargs="+", default=list(LANGUAGES), choices=list(LANGUAGES))
    parser.add_argument("--themes", nargs="+", default=list(THEMES), choices=list(THEMES))
    options = parser.parse_args()
    pages = [page for page in PAGES if page.name in options.only]
    looks = [LOOKS[name] for name in options.looks]
    camera = asyncio.run(photograph(Wanted(options.folder, pages, looks, options.languages, options.themes)))
    print(f"{camera.taken} pictures in {options.folder}/")
    for fault in camera.faults:
        print(fault, file=sys.stderr)
    return 1 if camera.faults else 0


if __name__ == "__main__":
    sys.exit(main())
