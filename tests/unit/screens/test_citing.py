"""Clauses, certainty and items of the criteria as people read them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from gateway.settings.schema import Certainty
from screens.catalogue import LANGUAGES
from screens.citing import CERTAINTIES, certainty_text, clause_text, item_text
from tests.fakes.visible_words import codes_in
from tests.unit.gateway.settings.kinds import load_site

ROOT = Path(__file__).parents[3]
SITES = ("demo", "afternoon")


def written(part: Any) -> Iterator[str]:
    """Every clause of a file, at any depth."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in ("clause", "danger") and isinstance(value, str):
                yield value
            else:
                yield from written(value)
    elif isinstance(part, list):
        for each in part:
            yield from written(each)


def shipped_clauses() -> set[str]:
    """Those in the shipped files, and those that rules of the shipped sites put together from several."""
    files = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "config").rglob("*.yaml")))
    alone = {clause for content in files for clause in written(content)}
    return alone | {rule.info.clause for site in SITES for rule in load_site(ROOT / f"config/sites/{site}.yaml").rules}


def test_every_shipped_clause_is_read_without_codes_and_in_chinese() -> None:
    clauses = shipped_clauses()
    assert len(clauses) > 100
    assert [
        said for clause in clauses for language in LANGUAGES if codes_in(said := clause_text(language, clause))
    ] == []
    assert [said for clause in clauses if re.search(r"[a-z]{3,}", said := clause_text("zh-CN", clause))] == []


def test_every_certainty_that_a_rule_may_have_has_words() -> None:
    assert set(get_args(Certainty)) <= {each.code for each in CERTAINTIES}
    for each in CERTAINTIES:
        assert certainty_text("zh-CN", each.code) == each.zh
        assert certainty_text("en", each.code) == each.en
    assert certainty_text("en", "") == ""


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("MH24-8-4", "《判定标准（2024版）》第八条第四项", "item 8(4) of the 2024 criteria"),
        ("MH22-15-2", "《判定标准（2022版）》第十五条第二项", "item 15(2) of the 2022 criteria"),
        ("MH24-10-1", "《判定标准（2024版）》第十条第一项", "item 10(1) of the 2024 criteria"),
        ("MH24-5-4-1", "《判定标准（2024版）》第五条第四项第1目", "item 5(4)1 of the 2024 criteria"),
        ("MH24-16", "《判定标准（2024版）》第十六条", "article 16 of the 2024 criteria"),
        ("", "", ""),
    ],
)
def test_an_item_of_the_criteria_is_named_as_it_is_cited(code: str, zh: str, en: str) -> None:
    assert (item_text("zh-CN", code), item_text("en", code)) == (zh, en)


def test_a_clause_of_the_sites_own_stays_as_it_was_written() -> None:
    assert clause_text("zh-CN", "Drawing G-12, sheet A3") == "Drawing G-12, sheet A3"
    assert clause_text("en", "Drawing G-12, sheet A3") == "Drawing G-12, sheet A3"


def test_two_remarks_in_one_pair_of_brackets_are_both_put_into_words() -> None:
    said = clause_text("en", "an hour (GB 50497-2019 7.0.3, M-M; GB 50911-2013, V2)")
    assert said == (
        "an hour (GB 50497-2019 7.0.3, not checked against the text, confidence medium; "
        "GB 50911-2013, from secondary sources, to be confirmed)"
    )
