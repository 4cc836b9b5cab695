"""One thing has one name: the glossary's forbidden names occur in no text of the product and no document."""

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
SPOKEN = (
    "bench",
    "config",
    "contract",
    "deploy",
    "docking",
    "docs",
    "drivers",
    "gateway",
    "kit",
    "regulator",
    "screens",
    "sitewarden",
    "vision",
)
ENDINGS = {".py", ".html", ".po", ".yaml", ".yml", ".md", ".js", ".json", ".csv", ".toml", ".txt", ".service"}
HISTORY = ("docs/adr/", "docs/glossary.md")
"""What was written then is not rewritten, and the glossary names what it forbids."""
_EXCEPT = re.compile(r"^(?P<word>[^（]+)（(?P<within>.+)除外）$")


@dataclass(frozen=True)
class Forbidden:
    """A name that is not used. `within`: longer words in which it may stand."""

    word: str
    within: tuple[str, ...]
    instead: str

    def in_line(self, line: str) -> bool:
        """Whether it stands there on its own."""
        for allowed in self.within:
            line = line.replace(allowed, "")
        return self.word in line


@dataclass(frozen=True)
class Term:
    """One row of the glossary."""

    zh: str
    en: str
    meaning_zh: str
    meaning_en: str
    not_zh: tuple[Forbidden, ...]
    not_en: tuple[str, ...]


def _forbidden(text: str, instead: str) -> Forbidden:
    found = _EXCEPT.match(text)
    return (
        Forbidden(found["word"], tuple(found["within"].split("、")), instead) if found else Forbidden(text, (), instead)
    )


def _words(cell: str) -> list[str]:
    """Names between 、, but not between those inside brackets."""
    return [word for word in re.split(r"、(?![^（]*）)", cell) if word]


def terms_of(text: str) -> list[Term]:
    """Rows of six cells below a head."""
    terms = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 6 or cells[0] in ("中文", "") or set(cells[0]) == {"-"}:
            continue
        zh, en, meaning_zh, meaning_en, not_zh, not_en = cells
        never = tuple(_forbidden(word, zh) for word in _words(not_zh))
        terms.append(Term(zh, en, meaning_zh, meaning_en, never, tuple(filter(None, not_en.split(", ")))))
    return terms


@cache
def glossary() -> list[Term]:
    return terms_of(GLOSSARY.read_text(encoding="utf-8"))


@cache
def texts() -> dict[str, str]:
    """Every text file of the product and of its documents, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", *SPOKEN, "README*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [
        name for name in listed.stdout.splitlines() if Path(name).suffix in ENDINGS and not name.startswith(HISTORY)
    ]
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in files if (ROOT / name).is_file()}


def found_in(terms: list[Term], spoken: dict[str, str]) -> list[str]:
    """`file:line: says X, the name is Y` for every forbidden name."""
    every = [forbidden for term in terms for forbidden in term.not_zh]
    quick = re.compile("|".join(sorted((re.escape(each.word) for each in every), key=len, reverse=True)))
    faults = []
    for name, text in spoken.items():
        if not quick.search(text):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            said = [each for each in every if each.in_line(line)]
            faults += [f"{name}:{number}: says {each.word}, the name is {each.instead}" for each in said]
    return faults


def test_no_text_uses_a_forbidden_name() -> None:
    assert len(texts()) > 500
    assert found_in(glossary(), texts()) == []


def test_no_english_page_uses_a_forbidden_name() -> None:
    never = {word: term.en for term in glossary() for word in term.not_en}
    faults = []
    for name, text in texts().items():
        if not name.endswith(".po"):
            continue
        for message in read_po(BytesIO(text.encode()), locale="zh_CN"):
            said = str(message.id).lower()
            faults += [f"{name}: {said!r} says {word}, the name is {never[word]}" for word in never if word in said]
    assert faults == []


def test_every_term_is_whole_and_used() -> None:
    terms = glossary()
    names = [term.zh for term in terms]
    assert len(terms) >= 40
    assert len(set(names)) == len(names)
    assert [term.zh for term in terms if not (term.en and term.meaning_zh and term.meaning_en and term.not_zh)] == []
    assert [term.zh for term in terms if not term.meaning_zh.endswith("。") or not term.meaning_en.endswith(".")] == []
    spoken = "\n".join(texts().values())
    assert [name for name in names if name not in spoken] == [], "a term that nobody says is left out"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("现场主机失联", True),
        ("监控主机失联", False),
        ("主机名不符", False),
        ("监控主机与备用主机", True),
        ("一个盒子", True),
    ],
)
def test_a_forbidden_name_is_found_unless_it_stands_in_an_allowed_word(line: str, says: bool) -> None:
    assert bool(found_in(glossary(), {"a": line})) is says
