"""One box for all pages: it has cameras, alarms of each state, one with pictures, and somebody is logged in."""

import time

from playwright.async_api import Page

from gateway.accounts.person import Role
from gateway.accounts.token_desk import make_token
from gateway.accounts.tokens import TokenScope, Wanted
from tests.browser.looks import Look
from tests.fakes.alarm_media import keep_pictures
from tests.fakes.screen_box import ScreenBox
from tests.fakes.screen_pages import ScreenPage, path_of
from tests.fakes.screen_people import ScreenPeople
from tests.fakes.screen_site import TILT, WALL, WIND

AUTOPLAY = "AudioContext was not allowed to start"
"""What Chromium says where a wall screen tries to sound without a gesture: it is meant to try."""


class BusySite:
    """The box, who is logged in, and an alarm to look at."""

    def __init__(self, box: ScreenBox) -> None:
        self.box = box
        self.people = ScreenPeople(box)
        alarm = box.raise_alarm()
        self.alarm_id = alarm.alarm_id
        keep_pictures(box.folder, alarm.alarm_id, alarm.raised_at_ns)
        box.raise_alarm(WIND, "crane-2")
        box.raise_alarm(TILT)
        box.return_alarm(TILT)
        box.raise_alarm(WALL, "pit-1")
        self.cookie = self.people.log_in(Role.ADMINISTRATOR)
        wanted = Wanted("Prometheus", [TokenScope.METRICS, TokenScope.AUDIT])
        make_token(box.folder, wanted, time.time_ns(), lambda _draft: None)

    async def page(self, open_browser, page: ScreenPage, look: Look) -> Page:
        """The page in one more browser."""
        context = await open_browser(look, self.box.url)
        if page.role is not None:
            await context.add_cookies([self.cookie])
        opened = await context.new_page()
        answer = await opened.goto(self.box.url + path_of(page, self.alarm_id))
        assert answer.status == page.status, f"{answer.status} {opened.url}"
        return opened
