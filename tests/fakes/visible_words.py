"""What a person reads on pages and in tables, and which codes of ours stand in it.

for address, text in read_all(client.get, ["/"], most=200):
    assert codes_in(text) == [], address
"""

import re
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Any

SPOKEN = ("alt", "title", "placeholder", "aria-label", "aria-description")
HIDDEN = ("script", "style")
CODES = re.compile(
    r"(?<![A-Za-z0-9./-])(?:V1|V2x?|2nd|PD|M-[HML])(?![A-Za-z0-9.])"  # how sure a clause is
    r"|(?<![A-Za-z0-9])MH2\d-\d[-\d]*"  # items of the criteria as our catalogue numbers them
    r"|(?<![A-Za-z0-9./#:-])[A-E](?:[1-9]|[12]\d|3\d)(?![A-Za-z0-9./:-])"  # rows of the notices
    r"|\[S\d\d\]"  # sources of the domain reference
    r"|\b[a-z_]+\.md\b"
)
READ = ("text/html", "text/csv", "text/calendar", "text/plain")
_LINK = re.compile(r'href="(/[^"#]*)"')


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in HIDDEN
        self.parts += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in HIDDEN
        self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def visible_text(html: str) -> str:
    """What is seen or read aloud, without tags."""
    text = _Text()
    text.feed(html)
    return " ".join("".join(text.parts).split())


def codes_in(text: str) -> list[str]:
    """Each code with what stands around it."""
    return [text[max(0, found.start() - 40) : found.end() + 20] for found in CODES.finditer(text)]


def read_all(get: Callable[[str], Any], begin: Sequence[str], most: int) -> Iterator[tuple[str, str]]:
    """(address, visible text) of `begin` and of all that is linked from there, each address once, at most `most`."""
    wanted, seen = list(begin), set(begin)
    while wanted and most:
        address = wanted.pop(0)
        answer = get(address)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if answer.status_code != 200 or kind not in READ:
            continue
        most -= 1
        html = kind == "text/html"
        yield address, visible_text(answer.text) if html else answer.text
        for link in _LINK.findall(answer.text) if html else ():
            path = link.replace("&amp;", "&")
            if path not in seen and not path.startswith(("/static/", "/logout", "/api/")):
                seen.add(path)
                wanted.append(path)
