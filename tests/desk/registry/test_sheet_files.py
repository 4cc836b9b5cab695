"""Check sheets are data: what is shipped reads, and each fault is told with file, line and what was expected."""

from pathlib import Path

import pytest

from regulator.base.packs import PackError
from regulator.parts.registry.rounds.sheet_file import load_sheets
from regulator.parts.registry.rounds.sheets import SheetKind

SHEET = """version: 1
sheet: {name}
title_zh: 表
title_en: sheet
questions:
  - key: plan
    zh: 方案
    en: plan
    hazard_zh: 无方案
    hazard_en: no plan
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("site", "duty"):
        (tmp_path / f"{name}.yaml").write_text(SHEET.format(name=name), "utf-8")
    return tmp_path


def test_the_shipped_sheets_ask_and_name_the_hazard_of_each_question() -> None:
    book = load_sheets()
    for kind in SheetKind:
        questions = book.questions(kind)
        assert len(questions) == len({question.key for question in questions}) >= 5
        assert all(question.hazard_zh and question.hazard_en for question in questions)


def test_a_tenant_brings_its_own(folder: Path) -> None:
    (question,) = load_sheets(folder).questions(SheetKind.SITE)
    assert (question.key, question.hazard_zh) == ("plan", "无方案")


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("key: plan", "key: Plan A", 6, "questions.0.key: String should match pattern"),
        ("    hazard_zh: 无方案\n", "", 6, "questions.0.hazard_zh: Field required"),
        ("    en: plan", "    en: ''", 8, "questions.0.en: String should have at least 1 character"),
        ("version: 1", "version: 2", 1, "version: Input should be 1"),
        ("    zh: 方案", "    zh: 方案\n    more: x", 8, "questions.0.more: Extra inputs are not permitted"),
        ("questions:", "questions: [", 6, "no YAML"),
    ],
)
def test_a_fault_is_told_with_its_line(folder: Path, before: str, after: str, line: int, said: str) -> None:
    path = folder / "site.yaml"
    path.write_text(path.read_text("utf-8").replace(before, after, 1), "utf-8")
    with pytest.raises(PackError) as told:
        load_sheets(folder)
    assert any(fault.startswith(f"{path}: line {line}: ") and said in fault for fault in told.value.faults), told.value


def test_a_key_twice_a_wrong_name_and_a_missing_file_are_told(folder: Path) -> None:
    duty = folder / "duty.yaml"
    text = duty.read_text("utf-8")
    duty.write_text(text + text.partition("questions:\n")[2], "utf-8")
    with pytest.raises(PackError, match="every key once, twice are plan"):
        load_sheets(folder)
    duty.write_text(SHEET.format(name="site"), "utf-8")
    with pytest.raises(PackError, match="sheet: expected 'duty', the file's own name; found 'site'"):
        load_sheets(folder)
    duty.unlink()
    with pytest.raises(PackError, match=r"duty\.yaml: cannot be read"):
        load_sheets(folder)
