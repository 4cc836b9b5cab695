"""Every page as it looks: no barrier by day or night, in either language, in a magnified window; and no text in the
wrong language. No page may refuse itself by its own Content-Security-Policy or ask for anything from elsewhere: the
harness sees to that.
"""

import re

import pytest

from screens.catalogue import Catalogue
from tests.browser.axe import axe_clean
from tests.browser.busy_site import AUTOPLAY
from tests.browser.looks import DESK, LANGUAGES, THEMES, ZOOMED, enlarge_text, overflow_px
from tests.fakes.gateway_process import ROOT
from tests.fakes.screen_pages import PAGES
from tests.fakes.screen_people import NAMES

CHINESE = re.compile(r"[\u3400-\u9fff]+")
CHINESE_DATA = tuple(title for _, title in NAMES.values())
CATALOGUE = Catalogue((ROOT / "screens", ROOT / "gateway" / "web"))
TEXTS = """() => {
  const found = [], lang = document.documentElement.lang;
  const other = (e) => { const said = e.closest("[lang]"); return said && said.lang !== lang; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const at = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (text && !at.closest("script, style, template") && !other(at)) found.push(text);
  }
  for (const name of ["title", "aria-label", "placeholder", "alt"])
    for (const e of document.querySelectorAll(`[${name}]`))
      if (!other(e) && e.getAttribute(name).trim()) found.push(e.getAttribute(name).trim());
  found.push(document.title);
  return found;
}"""


@pytest.fixture(autouse=True)
def what_is_told_in_the_console(troubles):
    troubles.expect(r"status of 404 .*no-such-alarm", AUTOPLAY)


every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pytest.mark.parametrize("language", LANGUAGES)
@every_page
async def test_no_barrier_and_no_foreign_word(site, open_browser, page, language):
    opened = await site.page(open_browser, page, DESK.in_language(language))
    texts = await opened.evaluate(TEXTS)
    assert foreign(texts, language) == []
    assert await opened.evaluate("document.documentElement.lang") == language
    for theme in THEMES:
        await opened.emulate_media(color_scheme=theme)
        await axe_clean(opened, colours=theme == "dark")


@pytest.mark.parametrize("page", [page for page in PAGES if page.hands], ids=lambda page: page.name)
async def test_at_200_percent_nothing_is_cut_off(site, open_browser, page):
    opened = await site.page(open_browser, page, ZOOMED.in_language("en"))
    assert await overflow_px(opened) <= 0
    await opened.set_viewport_size({"width": 1280, "height": 800})
    await enlarge_text(opened)
    assert await overflow_px(opened) <= 0


def foreign(texts, language):
    """Texts in the wrong language: Chinese on an English page, a message of ours in English on a Chinese one.

    What has two letters is a unit.
    """
    if language == "zh-CN":
        assert any(CHINESE.search(text) for text in texts)
        return [text for text in texts if len(text) > 2 and CATALOGUE.text("zh-CN", text) != text]
    for name in CHINESE_DATA:
        texts = [text.replace(name, "") for text in texts]
    return [text for text in texts if CHINESE.search(text)]
