"""One login cannot take all event streams of the box: those of others still open."""

import asyncio

from gateway.accounts.person import Role
from gateway.web.feed import ROOM
from tests.fakes.account_face import AccountFace, Browser
from tests.fakes.site import until
from tests.fakes.web_face import is_house_error


async def test_a_login_with_all_its_pages_open_is_refused_one_more_and_another_login_is_not(
    guarded: AccountFace,
) -> None:
    await guarded.set_up()
    greedy, other = await guarded.browser_of(Role.VIEWER), await guarded.browser_of(Role.SUPERVISOR)
    pages = [asyncio.create_task(_events(greedy)) for _ in range(ROOM.a_login)]
    await until(lambda: guarded.feed.clients == ROOM.a_login)
    refused = await greedy.client.get("/api/events")
    assert refused.status_code == 503
    assert is_house_error(refused.json(), "too_many_listeners", "")
    pages.append(asyncio.create_task(_events(other)))
    await until(lambda: guarded.feed.clients == ROOM.a_login + 1)
    guarded.feed.close()
    assert set(await asyncio.gather(*pages)) == {200}
    assert guarded.feed.quota.open == 0


async def _events(browser: Browser) -> int:
    return (await browser.client.get("/api/events")).status_code
