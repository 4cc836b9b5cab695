"""How people look at the screens: a phone, the TV on the wall, a window at 200 %; day and night, two languages."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from playwright.async_api import Page

Language = Literal["zh-CN", "en"]
Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Look:
    """One way to look. Sizes are CSS pixels."""

    name: str = "desk"
    width: int = 1280
    height: int = 800
    scale: float = 1.0
    touch: bool = False
    language: Language = "zh-CN"
    theme: Theme = "light"
    reduced_motion: bool = False

    def in_language(self, language: Language) -> "Look":
        return replace(self, language=language)

    def by(self, theme: Theme) -> "Look":
        return replace(self, theme=theme)

    def options(self) -> dict[str, Any]:
        """What a browser context is made with."""
        return {
            "viewport": {"width": self.width, "height": self.height},
            "device_scale_factor": self.scale,
            "is_mobile": self.touch,
            "has_touch": self.touch,
            "locale": self.language,
            "timezone_id": "Asia/Shanghai",
            "color_scheme": self.theme,
            "reduced_motion": "reduce" if self.reduced_motion else "no-preference",
        }

    def cookies(self, url: str) -> list[dict[str, str]]:
        """The person's choice of language, as the preferences page keeps it."""
        return [{"name": "language", "value": self.language, "url": url}]

    def __str__(self) -> str:
        return f"{self.name}-{self.language}-{self.theme}"


DESK = Look()
PHONE = Look("phone", 360, 740, 2.0, touch=True)
WALL = Look("wall", 1920, 1080)
ZOOMED = Look("zoomed", 640, 512, 2.0)
"""A 1280 x 1024 window at 200 %: half the CSS pixels, twice as large."""
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
THEMES: tuple[Theme, ...] = ("light", "dark")


async def enlarge_text(page: Page, percent: int = 200) -> None:
    """Text only, as a browser's text size does."""
    await page.evaluate("percent => { document.documentElement.style.fontSize = `${percent}%`; }", percent)


async def overflow_px(page: Page) -> int:
    """How far the page is wider than its window: more than 0 asks for scrolling sideways."""
    return int(await page.evaluate("document.scrollingElement.scrollWidth - document.documentElement.clientWidth"))
