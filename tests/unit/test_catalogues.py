"""Every text that a page or a script shows has a Chinese translation, and no template holds text of its own."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.extract import extract
from jinja2 import Environment

from gateway.web.pages import NAV
from screens.catalogue import Catalogue, CatalogueError
from screens.static_files import StaticFile, StaticFiles, script_texts
from screens.templating import FOLDER as SCREENS
from screens.templating import STATIC, TEMPLATES

ROOT = Path(__file__).parents[2]
SITE = ROOT / "gateway" / "web"
AREAS = {"screens": STATIC, "site": SITE / "static"}
TEMPLATE_FILES = sorted([*TEMPLATES.glob("*.html"), *(SITE / "templates").glob("*.html")])
SCRIPTS = sorted(path for folder in AREAS.values() for path in folder.rglob("*.js"))
WORDS = re.compile(r"[^\W\d_]")
OWN_NAMES = {"中文", "English"}  # a language is called by its own name in every language
JINJA = re.compile(r"\{% block body_class %\}.*?\{% endblock %\}|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue([SCREENS, SITE])


class _Visible(HTMLParser):
    """Texts between tags, and attributes that people see or hear."""

    SPOKEN = ("alt", "title", "placeholder", "aria-label", "aria-description", "content")
    META = ("width=device-width, initial-scale=1",)

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if name in self.SPOKEN and value and value not in self.META]


def texts_of_template(path: Path) -> set[str]:
    """What the template passes to `_()` and `ngettext()`; a plural stands for both."""
    keywords = {"_": None, "ngettext": (1, 2)}
    with path.open("rb") as file:
        found = extract("jinja2.ext:babel_extract", file, keywords=keywords, options={"silent": "false"})
        return {text if isinstance(text, str) else text[-1] for _, text, _, _ in found}


@pytest.mark.parametrize("path", TEMPLATE_FILES, ids=lambda path: path.name)
def test_every_text_of_a_template_has_a_translation(path: Path, catalogue: Catalogue) -> None:
    assert {text for text in texts_of_template(path) if text not in catalogue} == set()


@pytest.mark.parametrize("path", TEMPLATE_FILES, ids=lambda path: path.name)
def test_a_template_shows_nothing_that_is_not_in_the_catalogue(path: Path) -> None:
    visible = _Visible()
    visible.feed(JINJA.sub("", path.read_text()))
    loose = {text.strip() for text in visible.texts if WORDS.search(text)} - OWN_NAMES
    assert loose == set(), f"{path.name}: wrap in _()"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_text_of_a_script_has_a_translation(path: Path, catalogue: Catalogue) -> None:
    file = StaticFile(path.read_bytes(), "text/javascript; charset=utf-8")
    assert {text for text in script_texts(file) if text not in catalogue} == set()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_holds_no_chinese(path: Path) -> None:
    assert re.findall(r"[\u4e00-\u9fff]+", re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)) == []


def test_placeholders_survive_translation(catalogue: Catalogue) -> None:
    held = re.compile(r"%\(\w+\)s")
    msgids = {text for path in TEMPLATE_FILES for text in texts_of_template(path)}
    texts = {text: catalogue.text("zh-CN", text) for text in msgids if text in catalogue}
    wrong = {text for text, zh in texts.items() if sorted(held.findall(text)) != sorted(held.findall(zh))}
    assert wrong == set()


def test_no_template_has_inline_script_or_style() -> None:
    for path in TEMPLATE_FILES:
        text = JINJA.sub("", path.read_text())
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path.name
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), path.name


def test_the_navigation_has_translations(catalogue: Catalogue) -> None:
    assert [text for _, text, _ in NAV if text not in catalogue] == []


def test_two_files_that_disagree_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "messages" / "zh"
    folder.mkdir(parents=True)
    for name, text in (("a", "甲"), ("b", "乙")):
        (folder / f"{name}.po").write_text(f'msgid "x"\nmsgstr "{text}"\n')
    with pytest.raises(CatalogueError, match=r"b\.po"):
        Catalogue([tmp_path])


def test_a_text_without_translation_is_shown_in_english_and_remembered(tmp_path: Path) -> None:
    empty = Catalogue([tmp_path])
    assert (empty.text("zh-CN", "Alarm"), empty.text("en", "Alarm"), empty.missing) == ("Alarm", "Alarm", {"Alarm"})


def test_the_digest_of_the_files_changes_with_any_of_them(tmp_path: Path, catalogue: Catalogue) -> None:
    (tmp_path / "a.css").write_text("a{}")
    before = StaticFiles({"site": tmp_path}, catalogue).digest
    (tmp_path / "a.css").write_text("b{}")
    after = StaticFiles({"site": tmp_path}, catalogue)
    assert after.digest != before
    assert after.get("site/../a.css") is None
    with pytest.raises(KeyError):
        after.url("site/missing.css")


def test_jinja_knows_every_template() -> None:
    environment = Environment(autoescape=True)
    for path in TEMPLATE_FILES:
        environment.parse(path.read_text())
