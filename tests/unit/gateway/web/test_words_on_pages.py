"""No page and no table of a running box shows a code of ours. A real gateway with alarms of the national rules."""

from collections.abc import Iterator

import httpx
import pytest

from tests.browser.busy_site import BusySite
from tests.fakes.screen_box import ScreenBox
from tests.fakes.screen_pages import PAGES, path_of
from tests.fakes.visible_words import codes_in, read_all

MOST = 120


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusySite]:
    with ScreenBox(tmp_path_factory.mktemp("words"), cameras=True) as box:
        yield BusySite(box)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_page_shows_a_code(site: BusySite, language: str) -> None:
    cookies = {site.cookie["name"]: site.cookie["value"], "language": language}
    begin = [path_of(page, site.alarm_id) for page in PAGES if page.status == 200]
    begin += ["/figures.csv", "/alarms.csv"]
    with httpx.Client(base_url=site.box.url, cookies=cookies, headers={"accept": "text/html"}, timeout=20) as client:
        read = dict(read_all(client.get, begin, MOST))
    assert [(address, found) for address, text in read.items() if (found := codes_in(text))] == []
    alarm = read[f"/alarms/{site.alarm_id}"]
    words = "条文可信度说明" if language == "zh-CN" else "Remarks beside a clause"
    assert words in alarm, "the legend is on the page"
    assert len(read) > len(PAGES) - 4
