"""A person without a mouse: where Tab leads, and whether that is seen."""

from dataclasses import dataclass

from playwright.async_api import Page

MOST_STOPS = 300
_FROM_THE_TOP = """() => {
  document.documentElement.tabIndex = -1;
  document.documentElement.focus();
  document.documentElement.removeAttribute("tabindex");
}"""
_FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  const drawn = (part) => part.stroke !== "none" && parseFloat(part.strokeWidth) >= 3;
  const outlined = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
    || (e instanceof SVGElement && [...e.querySelectorAll("*")].some((part) => drawn(getComputedStyle(part))));
  const visible = box.width > 0 && box.height > 0 && style.visibility !== "hidden";
  if (!e.dataset.tabStop) e.dataset.tabStop = String(document.querySelectorAll("[data-tab-stop]").length + 1);
  return {stop: e.dataset.tabStop, tag: e.tagName.toLowerCase(), id: e.id, href: e.getAttribute("href") || "",
          text: (e.innerText || e.value || e.getAttribute("aria-label") || "").trim().slice(0, 60),
          outlined: outlined || style.boxShadow !== "none", visible};
}"""


@dataclass(frozen=True)
class Stop:
    """One place where the focus rests."""

    stop: str
    tag: str
    id: str
    href: str
    text: str
    outlined: bool
    visible: bool


async def tab_walk(page: Page, most: int = MOST_STOPS) -> list[Stop]:
    """Press Tab from the top of the page until the focus leaves it or comes round. Fails after `most` stops."""
    await page.evaluate(_FROM_THE_TOP)
    stops: list[Stop] = []
    for _ in range(most):
        await page.keyboard.press("Tab")
        found = await page.evaluate(_FOCUSED)
        if found is None or found["stop"] in {stop.stop for stop in stops}:
            return stops
        stops.append(Stop(**found))
    raise AssertionError(f"{page.url}: more than {most} stops of the Tab key")
