"""Reads the rule cards, `cards/<name>.yaml`: what to do about each rule's alarm, and finds the card of a rule.

In: the site's library of configuration files. Out: a `RuleCard` for each rule that has one, or faults in the files. A
site's own `cards/` folder goes before the shipped one: a file of the same name replaces the shipped file, and a card of
another file beats a shipped card of the same rule. Knows nothing of what the rules judge.

A card names its rules by their ids; `*` stands for any text, because the rules of a pit's points are made from tables.
Of several entries that fit, the site's own counts first, then the one that says most of the id.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.model.alarm import Severity
from gateway.model.rule_card import RuleCard
from gateway.settings.checking import check
from gateway.settings.document import Document
from gateway.settings.library import Library, opened_once
from gateway.settings.rulepack import Packs
from gateway.settings.schema import Certainty, SettingsModel

PRODUCT_ADVICE, PRODUCT_ADVICE_ZH = "product advice", "产品建议"
RulePattern = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.*-]{0,98}[a-z0-9*]$")]
Sentence = Annotated[str, Field(min_length=1, max_length=140)]
SentenceZh = Annotated[str, Field(min_length=1, max_length=50)]
StepZh = Annotated[str, Field(min_length=1, max_length=24)]
StepEn = Annotated[str, Field(min_length=1, max_length=80)]


class CardEntry(SettingsModel):
    """What to do about the alarms of some rules."""

    rules: Annotated[list[RulePattern], Field(min_length=1)]
    """Ids of rules; `*` stands for any text."""
    cause_zh: SentenceZh
    """What has probably happened, Chinese."""
    cause_en: Sentence
    """What has probably happened, English."""
    consequence_zh: SentenceZh
    """What it leads to when nobody acts, Chinese."""
    consequence_en: Sentence
    """What it leads to when nobody acts, English."""
    steps_zh: Annotated[list[StepZh], Field(min_length=1, max_length=3)]
    """What to do, the first thing first, in short orders, Chinese."""
    steps_en: Annotated[list[StepEn], Field(min_length=1, max_length=3)]
    """The same steps, English."""
    respond_within_s: Annotated[float, Field(gt=0, le=604_800)]
    """How soon the first step has to be under way, seconds; the product's advice."""
    owner_zh: Annotated[str, Field(min_length=1, max_length=20)]
    """The role that acts, Chinese."""
    owner_en: Annotated[str, Field(min_length=1, max_length=60)]
    """The role that acts, English."""
    source: Annotated[str, Field(min_length=1, max_length=300)]
    """Where the steps come from: the clause, or "product advice", English."""
    source_zh: Annotated[str, Field(min_length=1, max_length=150)]
    """The same in Chinese: the clause, or "产品建议"."""
    certainty: Certainty
    """How sure that is."""

    @model_validator(mode="after")
    def _same_steps(self) -> "CardEntry":
        if len(self.steps_zh) != len(self.steps_en):
            context = {"zh": len(self.steps_zh), "en": len(self.steps_en)}
            raise PydanticCustomError("card.steps", "as many steps in both languages", context)
        return self

    @model_validator(mode="after")
    def _advice_is_called_so(self) -> "CardEntry":
        called = {self.source.startswith(PRODUCT_ADVICE), self.source_zh.startswith(PRODUCT_ADVICE_ZH)}
        if called != {self.certainty == "PD"}:
            context = {"source": self.source, "certainty": self.certainty}
            raise PydanticCustomError("card.certainty", "certainty and source disagree", context)
        return self

    def build(self) -> RuleCard:
        """As screens take it."""
        return RuleCard(
            cause_zh=self.cause_zh,
            cause_en=self.cause_en,
            consequence_zh=self.consequence_zh,
            consequence_en=self.consequence_en,
            steps_zh=tuple(self.steps_zh),
            steps_en=tuple(self.steps_en),
            respond_within_s=self.respond_within_s,
            owner_zh=self.owner_zh,
            owner_en=self.owner_en,
            source=self.source,
            certainty=self.certainty,
            source_zh=self.source_zh,
        )


class CardFile(SettingsModel):
    """A set of cards."""

    version: Literal[1]
    """Version of this file format."""
    cards: Annotated[list[CardEntry], Field(min_length=1)]
    """The cards."""


@dataclass(frozen=True, slots=True)
class CardLine:
    """One id or pattern of a card, and how much it counts against others that fit too."""

    pattern: str
    card: RuleCard
    own: bool

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """The site's own first, then a whole id, then the pattern that says most."""
        return self.own, "*" not in self.pattern, len(self.pattern.replace("*", ""))

    def fits(self, rule_id: str) -> bool:
        """Whether the rule is meant."""
        return self.pattern == rule_id or (
            "*" in self.pattern and _meant_by(self.pattern).fullmatch(rule_id) is not None
        )


def read_cards(library: Library, opened: dict[Path, Document]) -> tuple[CardLine, ...]:
    """Read and check all card files, the best-ranked lines first. Faults go to their documents."""
    lines: list[CardLine] = []
    for name in sorted(library.names("cards")):
        path = library.find("cards", name)
        if path is not None:
            lines += _lines_of(opened_once(path, opened), own=path.parent.parent != library.folders[-1])
    return tuple(sorted(lines, key=lambda line: line.rank, reverse=True))


def cards_of(rule_ids: Iterable[str], lines: tuple[CardLine, ...]) -> Mapping[str, RuleCard]:
    """The card of each rule that has one."""
    once = dict.fromkeys(rule_ids)  # a rule has a row for each subject
    found = {rule_id: next((line for line in lines if line.fits(rule_id)), None) for rule_id in once}
    return {rule_id: line.card for rule_id, line in found.items() if line is not None}


def warn_of_missing_cards(packs: Packs, lines: tuple[CardLine, ...]) -> None:
    """A rule that alarms and says nobody what to do is half a rule. Warnings go to the packs' documents."""
    for rule in packs.rules.values():
        alarming = rule.settings is not None and rule.settings.severity is not Severity.LOG
        if alarming and not any(line.fits(rule.rule_id) for line in lines):
            rule.document.warn((*rule.path, "id"), "warn.no_card", rule=rule.rule_id)


@lru_cache(maxsize=1024)
def _meant_by(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))


def _lines_of(document: Document, *, own: bool) -> list[CardLine]:
    file = check(CardFile, document, (), document.data)
    lines: list[CardLine] = []
    first: dict[str, int] = {}
    for i, entry in enumerate(file.cards if file else ()):
        card = entry.build()
        for j, pattern in enumerate(entry.rules):
            line = document.line(("cards", i, "rules", j))
            if pattern in first:
                document.add(("cards", i, "rules", j), "card.twice", found=pattern, first=first[pattern])
            first.setdefault(pattern, line)
            lines.append(CardLine(pattern, card, own))
    return lines
