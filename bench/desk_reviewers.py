"""Reviewers of the desk's benchmark: real logins, the review page and its parts over HTTP, verdicts by form.

Each takes an item, looks at its facts, judges it and thinks: `THINK_S` makes that twelve items a minute and person,
faster than anybody judges for long. A replica that does not answer is left for the next one, as a reverse proxy would
do; the page's time then counts from the first try.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field

import httpx

from regulator.twins.founding import MadePerson

THINK_S = 5.0
CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass
class Times:
    """What reviewers saw: milliseconds a page or part, verdicts given, answers that were no success, by status."""

    page_ms: list[float] = field(default_factory=list)
    verdicts: int = 0
    taken_by_others: int = 0
    failed: dict[int, int] = field(default_factory=dict)
    unanswered: int = 0


class Browser(httpx.AsyncClient):
    """A browser that knows all replicas and uses one of them."""

    def __init__(self, urls: list[str]) -> None:
        super().__init__(base_url=urls[0], timeout=60, trust_env=False, headers={"accept": "text/html"})
        self._urls = urls

    def fail_over(self) -> None:
        """Use the next replica from now on."""
        self._urls = self._urls[1:] + self._urls[:1]
        self.base_url = self._urls[0]  # type: ignore[assignment]  # httpx takes a text


async def log_in(urls: list[str], person: MadePerson) -> Browser:
    """A browser with a session. Raises RuntimeError when the desk does not take the login."""
    browser = Browser(urls)
    form = {"csrf": await csrf_of(browser, "/login"), "login": person.login, "password": person.password, "next": "/"}
    answer = await browser.post("/login", data=form)
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise RuntimeError(f"{person.login}: the login was answered with {answer.status_code}")
    return browser


async def csrf_of(browser: httpx.AsyncClient, path: str) -> str:
    """What this visitor's forms must carry."""
    found = CSRF.search((await browser.get(path)).text)
    if found is None:
        raise RuntimeError(f"{path}: no form on the page")
    return found[1]


async def review(browser: Browser, times: Times, stop: asyncio.Event, late_s: float) -> None:
    """From `late_s` on: take the first free item of the queue, look, judge, think, until told to stop."""
    await _pause(stop, late_s)
    csrf = await csrf_of(browser, "/review")
    while not stop.is_set():
        began = time.perf_counter()
        try:
            await _timed(browser, "/review", times)
            queue = (await _timed(browser, "/review/queue", times)).json()
            free = [row["id"] for row in queue["rows"] if not row["held_by"]]
            if free:
                await _judge(browser, free, csrf, times)
        except (httpx.HTTPError, KeyError, ValueError):
            times.unanswered += 1
        await _pause(stop, THINK_S - (time.perf_counter() - began))


async def _judge(browser: Browser, free: list[str], csrf: str, times: Times) -> None:
    for item_id in free[:5]:
        answer = await browser.post(f"/review/items/{item_id}/lease", data={"csrf": csrf}, headers=JSON)
        if answer.status_code != httpx.codes.OK:
            times.taken_by_others += 1
            continue
        await _timed(browser, f"/review/items/{item_id}/facts", times)
        verdict = {"csrf": csrf, "verdict": "false" if times.verdicts % 3 else "true", "reason": "1"}
        if verdict["verdict"] == "true":
            del verdict["reason"]
        judged = await browser.post(f"/review/items/{item_id}/verdict", data=verdict, headers=JSON)
        if judged.status_code == httpx.codes.OK:
            times.verdicts += 1
        else:
            times.failed[judged.status_code] = times.failed.get(judged.status_code, 0) + 1
        return


async def _timed(browser: Browser, path: str, times: Times) -> httpx.Response:
    began = time.perf_counter()
    try:
        answer = await browser.get(path)
    except httpx.HTTPError:
        times.unanswered += 1
        browser.fail_over()
        answer = await browser.get(path)
    times.page_ms.append((time.perf_counter() - began) * 1000)
    if answer.status_code != httpx.codes.OK:
        times.failed[answer.status_code] = times.failed.get(answer.status_code, 0) + 1
    return answer


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await stop.wait()
    except TimeoutError:
        return


JSON = {"accept": "application/json"}
