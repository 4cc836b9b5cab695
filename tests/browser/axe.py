"""axe-core against a page: WCAG 2.2 AA, no violation."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


async def axe_clean(page: Page, within: str | None = None) -> None:
    """Assert that axe finds nothing, on the whole page or below one CSS selector."""
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = await Axe().run(page, context=within, options=options)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
