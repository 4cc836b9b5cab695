"""Every text that a page or a script shows has a Chinese translation, and no template holds text of its own."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.extract import extract
from jinja2 import Environment

from gateway.web.pages import NAV
from regulator.base.web.navigation import NAVIGATION
from screens.catalogue import Catalogue, CatalogueError
from screens.static_files import StaticFile, StaticFiles, script_texts
from screens.templating import FOLDER as SCREENS
from screens.templating import STATIC

ROOT = Path(__file__).parents[2]
FACES = (ROOT / "gateway" / "web", ROOT / "regulator" / "base" / "web")
"""The box's and the desk's: each with its own catalogue beside the shared one."""
TEMPLATE_FILES = sorted(path for folder in (SCREENS, *FACES) for path in folder.glob("templates/*.html"))
SCRIPTS = sorted(path for folder in (STATIC, *(face / "static" for face in FACES)) for path in folder.rglob("*.js"))
CATALOGUES = {face: Catalogue([SCREENS, face]) for face in FACES}


def catalogues_of(path: Path) -> list[Catalogue]:
    """What a file is read with: what is shared, with both."""
    return [catalogue for face, catalogue in CATALOGUES.items() if face in path.parents or SCREENS in path.parents]


def name_of(path: Path) -> str:
    """For the report: two faces may have files of one name."""
    return "/".join(path.parts[-4:])


WORDS = re.compile(r"[A-Za-z]{2}|[\u3400-\u9fff]")  # one letter alone is a sign: n = 12
OWN_NAMES = {"中文", "English", "CSV", "XLSX", "PDF", "SHA-256"}  # called so in every language
JINJA = re.compile(r"\{% block body_class %\}.*?\{% endblock %\}|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


class _Visible(HTMLParser):
    """Texts between tags, and attributes that people see or hear."""

    SPOKEN = ("alt", "title", "placeholder", "aria-label", "aria-description", "content")
    META = ("width=device-width, initial-scale=1", "0;url=")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._key = False

    def handle_data(self, data: str) -> None:
        if not self._key:  # keys are called as they are printed on the keyboard
            self.texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._key = self._key and tag != "kbd"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._key = self._key or tag == "kbd"
        self.texts += [value for name, value in attrs if name in self.SPOKEN and value and value not in self.META]


def texts_of_template(path: Path) -> set[str]:
    """What the template passes to `_()` and `ngettext()`; a plural stands for both."""
    keywords = {"_": None, "ngettext": (1, 2)}
    with path.open("rb") as file:
        found = extract("jinja2.ext:babel_extract", file, keywords=keywords, options={"silent": "false"})
        return {text if isinstance(text, str) else text[-1] for _, text, _, _ in found}


@pytest.mark.parametrize("path", TEMPLATE_FILES, ids=name_of)
def test_every_text_of_a_template_has_a_translation(path: Path) -> None:
    for catalogue in catalogues_of(path):
        assert {text for text in texts_of_template(path) if text not in catalogue} == set()


@pytest.mark.parametrize("path", TEMPLATE_FILES, ids=name_of)
def test_a_template_shows_nothing_that_is_not_in_the_catalogue(path: Path) -> None:
    visible = _Visible()
    visible.feed(JINJA.sub("", path.read_text()))
    loose = {text.strip() for text in visible.texts if WORDS.search(text)} - OWN_NAMES
    assert loose == set(), f"{path.name}: wrap in _()"


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_every_text_of_a_script_has_a_translation(path: Path) -> None:
    file = StaticFile(path.read_bytes(), "text/javascript; charset=utf-8")
    known = [{text for text in script_texts(file) if text in catalogue} for catalogue in catalogues_of(path)]
    assert set(script_texts(file)) in known  # a shared script may be one that only one face loads


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_holds_no_chinese(path: Path) -> None:
    assert re.findall(r"[\u4e00-\u9fff]+", re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)) == []


@pytest.mark.parametrize("face", FACES, ids=name_of)
def test_placeholders_survive_translation(face: Path) -> None:
    held, catalogue = re.compile(r"%\(\w+\)s"), CATALOGUES[face]
    msgids = {text for path in TEMPLATE_FILES for text in texts_of_template(path)}
    texts = {text: catalogue.text("zh-CN", text) for text in msgids if text in catalogue}
    wrong = {text for text, zh in texts.items() if sorted(held.findall(text)) != sorted(held.findall(zh))}
    assert wrong == set()


def test_no_template_has_inline_script_or_style() -> None:
    for path in TEMPLATE_FILES:
        text = JINJA.sub("", path.read_text())
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path.name
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), path.name


def test_the_navigation_has_translations() -> None:
    texts = ([text for _, text, _ in NAV], [text for entry in NAVIGATION for text in (entry.text, entry.group) if text])
    for face, wanted in zip(FACES, texts, strict=True):
        assert [text for text in wanted if text not in CATALOGUES[face]] == []


def test_two_files_that_disagree_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "messages" / "zh"
    folder.mkdir(parents=True)
    for name, text in (("a", "甲"), ("b", "乙")):
        (folder / f"{name}.po").write_text(f'msgid "x"\nmsgstr "{text}"\n')
    with pytest.raises(CatalogueError, match=r"b\.po"):
        Catalogue([tmp_path])


def test_a_file_that_is_no_catalogue_is_refused_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "messages" / "zh"
    folder.mkdir(parents=True)
    (folder / "a.po").write_text('msgid "x"\na line of nothing\n')
    with pytest.raises(CatalogueError, match=r"a\.po: not a PO file: Syntax error"):
        Catalogue([tmp_path])


def test_a_text_without_translation_is_shown_in_english_and_remembered(tmp_path: Path) -> None:
    empty = Catalogue([tmp_path])
    assert (empty.text("zh-CN", "Alarm"), empty.text("en", "Alarm"), empty.missing) == ("Alarm", "Alarm", {"Alarm"})


def test_the_digest_of_the_files_changes_with_any_of_them(tmp_path: Path) -> None:
    catalogue = CATALOGUES[FACES[0]]
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
