"""Documents: every link leads somewhere, every named file is there, every command exists, examples are accepted."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.parts.crane.model.geometry import CraneGeometry
from gateway.parts.crane.settings.crane import CraneSettings
from gateway.settings import load
from gateway.settings.rule_shape import RuleSettings
from sitewarden.command_table import COMMANDS
from sitewarden.commands.desk import load_desk
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for place in (ROOT, ROOT / "docs", ROOT / "docs/adr", ROOT / "examples", ROOT / "vision/models", ROOT / ".github")
    for path in place.glob("*.md")
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NAMED_FILE = re.compile(
    r"`((?:docs|config|deploy|examples|gateway|drivers|vision|regulator|contract|docking|screens|tests|bench)/[\w./-]+)`"
)
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
GENERATED = ("gateway/config/", "docking/maps/")


def prose(path: Path) -> str:
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as hosting platforms make them."""
    headings = re.findall(r"^#+\s+(.*)$", prose(path), re.MULTILINE)
    plain = [re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", text).replace(" ", "-") for text in plain}


def broken(path: Path) -> Iterator[str]:
    for target in LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        led_to = (path.parent / place).resolve() if place else path
        if not led_to.exists():
            yield f"{path.relative_to(ROOT)}: link to {target}: no such file"
        elif anchor and anchor not in anchors(led_to):
            yield f"{path.relative_to(ROOT)}: link to {target}: no such heading"
    for name in NAMED_FILE.findall(prose(path)):
        if not name.startswith(GENERATED) and not exists(name):
            yield f"{path.relative_to(ROOT)}: names `{name}`: no such file"


def exists(name: str) -> bool:
    """A file, or a package's module without its ending; a name in capitals or with an N stands for many."""
    path = ROOT / name.rstrip("/.")
    return path.exists() or path.with_suffix(".py").exists() or bool(re.search(r"NAME|NNNN", name))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_named_file_is_there(path: Path) -> None:
    assert list(broken(path)) == []


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_is_short_and_begins_with_the_two_commands(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) < 200
    first_screen = "\n".join(lines[:30])
    assert "make demo" in first_screen
    assert "make test" in first_screen
    assert "docs/images/site-" in first_screen
    assert "docs/images/desk-" in first_screen


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_shown_exists(path: Path) -> None:
    shown = "\n".join(FENCE.findall(path.read_text(encoding="utf-8")))
    told = set(re.findall(r"^(?:\S*/)?sitewarden ([a-z-]+)", shown, re.MULTILINE))
    assert told - set(COMMANDS) - {"check"} == set()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z-]+)", shown, re.MULTILINE)) - targets == set()


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"]({page})" not in index} == set()
    decisions = {path.name for path in (ROOT / "docs/adr").glob("*.md")}
    assert {page for page in decisions if f"](adr/{page})" not in index} == set()


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_an_example_is_accepted(path: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(path, tmp_path))
    if path.name == "desk.yaml":
        assert load_desk(copy).port == 8090
    else:
        assert load(str(copy), DRIVERS, UPLINKS, KINDS).rules


def test_the_site_of_documents_is_built_and_asks_nobody_for_anything(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")]
    answer = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 30
    fetched = re.compile(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//')
    assert [page.name for page in pages if fetched.search(page.read_text(encoding="utf-8"))] == []


def test_the_radii_of_a_cranes_bodies_are_those_that_are_taken_off() -> None:
    document = (ROOT / "docs/crane-groups.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| [^|]+ \| ([\d.]+) m \| ([^|]*) \|$", document, re.MULTILINE)
    settings, bodies = CraneSettings.model_fields, CraneGeometry.__dataclass_fields__
    taken_off = [bodies[f"{part}_half_m"].default for part in ("jib", "counter_jib", "mast", "hook", "load")]
    assert [float(radius) for radius, _ in rows] == taken_off
    named = [re.match(r"`(\w+)`", where) for _, where in rows]
    assert [settings[name[1]].default if name else None for name in named] == [*taken_off[:3], None, taken_off[4]]


def test_latching_is_described_as_it_is() -> None:
    document = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    assert "  latching: true      # false unless it says so" in document
    assert RuleSettings.model_fields["latching"].default is False
    shipped = [rule for path in (ROOT / "config/rules").rglob("*.yaml") for rule in _rules_of(path)]
    assert shipped
    assert not any(rule.get("latching") for rule in shipped)


def _rules_of(path: Path) -> list[dict[str, Any]]:
    return yaml.safe_load(path.read_text(encoding="utf-8")).get("rules") or []
