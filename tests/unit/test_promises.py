"""docs/reliability.md and docs/security.md: every promise and every threat names tests that are there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RELIABILITY, SECURITY = ROOT / "docs/reliability.md", ROOT / "docs/security.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LEAST_ROWS = {"promise": 30, "what they try": 70}
"""So that a table that is not read as one is noticed."""


@cache
def functions_of(path: str) -> frozenset[str]:
    """The test functions of a file; none when there is no such file."""
    if not (ROOT / path).is_file():
        return frozenset()
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def rows(page: Path, first: str) -> list[dict[str, str]]:
    """The rows of the tables whose first column is called so, by the name of the column."""
    found: list[dict[str, str]] = []
    names: list[str] | None = None
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            names = None
        elif names is None:
            names = cells
        elif names[0] == first and not set(cells[0]) <= {"-"}:
            found.append(dict(zip(names, cells, strict=True)))
    return found


@pytest.mark.parametrize("page", [RELIABILITY, SECURITY], ids=lambda page: page.name)
def test_every_test_that_is_named_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = NAMED.findall(text)
    assert len(named) == text.count("::") > 0, "a name that is not read as one"
    assert [f"{path}::{name}" for path, name in named if name not in functions_of(path)] == []


def test_every_promise_has_a_test_and_a_figure() -> None:
    promises = rows(RELIABILITY, "promise")
    assert len(promises) >= LEAST_ROWS["promise"]
    assert [row["promise"] for row in promises if not NAMED.search(row["test"]) or not row["last figure"]] == []


def test_every_threat_has_a_test_or_is_called_open() -> None:
    threats = rows(SECURITY, "what they try")
    assert len(threats) >= LEAST_ROWS["what they try"]
    unanswered = [row for row in threats if not NAMED.search(row["test"]) and row["test"] != "open"]
    assert [row["what they try"] for row in unanswered] == []
    assert [row["what they try"] for row in threats if row["test"] == "open" and not row["answer"]] == []


def test_every_attacker_has_answers_and_says_what_is_open() -> None:
    text = SECURITY.read_text(encoding="utf-8")
    threats = text.partition("\n## Threats")[2].partition("\n## ")[0]
    attackers = dict(zip(*[iter(re.split(r"^### (.*)$", threats, flags=re.MULTILINE)[1:])] * 2, strict=True))
    assert len(attackers) == 6
    assert [name for name, said in attackers.items() if not NAMED.search(said) or "**Open.**" not in said] == []
