"""Reviewers of the desk's benchmark: real logins, the review page and its parts over HTTP, verdicts by form."""

import asyncio
import re
import time
from dataclasses import dataclass, field

import httpx

from regulator.twins.founding import MadePerson

THINK_S = 1.0
CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass
class Times:
    """What reviewers saw: milliseconds a page or part, verdicts given, answers that were no success, by status."""

    page_ms: list[float] = field(default_factory=list)
    verdicts: int = 0
    taken_by_others: int = 0
    failed: dict[int, int] = field(default_factory=dict)


async def log_in(url: str, person: MadePerson) -> httpx.AsyncClient:
    """A browser with a session. Raises RuntimeError when the desk does not take the login."""
    browser = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, headers={"accept": "text/html"})
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


async def review(browser: httpx.AsyncClient, times: Times, stop: asyncio.Event) -> None:
    """Take the first free item of the queue, look at it, judge, think, until told to stop."""
    csrf = await csrf_of(browser, "/review")
    while not stop.is_set():
        await _timed(browser, "/review", times)
        queue = (await _timed(browser, "/review/queue", times)).json()
        free = [row["id"] for row in queue["rows"] if not row["held_by"]]
        if free:
            await _judge(browser, free, csrf, times)
        await asyncio.sleep(THINK_S)


async def _judge(browser: httpx.AsyncClient, free: list[str], csrf: str, times: Times) -> None:
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


async def _timed(browser: httpx.AsyncClient, path: str, times: Times) -> httpx.Response:
    began = time.perf_counter()
    answer = await browser.get(path)
    times.page_ms.append((time.perf_counter() - began) * 1000)
    if answer.status_code != httpx.codes.OK:
        times.failed[answer.status_code] = times.failed.get(answer.status_code, 0) + 1
    return answer


JSON = {"accept": "application/json"}
