"""axe-core against a page: WCAG 2.2 AA, no violation."""

from axe_playwright_python.async_playwright import Axe
from axe_playwright_python.base import AxeResults
from playwright.async_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules among these that look at colours: all that can change from day to night on a page that stays as it is."""
_FOUND = """async ([within, options]) => {
  const all = await axe.run(within || document, options);
  return all.violations.length ? all : { violations: [] };
}"""


async def axe_clean(page: Page, within: str | None = None, *, colours: bool = False) -> None:
    """Assert that axe finds nothing, on the whole page or below one CSS selector. `colours`: by the rules about colours
    alone, where all others were asked of this page by day."""
    asked = {"type": "rule", "values": COLOURS} if colours else {"type": "tag", "values": TAGS}
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(Axe().axe_script)
    answer = await page.evaluate(_FOUND, [within, {"runOnly": asked, "resultTypes": ["violations"]}])
    found = AxeResults(answer)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
