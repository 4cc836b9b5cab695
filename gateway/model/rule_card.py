"""What to do about an alarm: the card that stands beside it (cause, consequence, steps, time to act, owner).

In: built by the settings from the card files. Out: shown beside an alarm and printed with it. A card judges nothing and
is no part of the evidence. Knows nothing of files, rules and screens.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleCard:
    """One rule's card in both languages; `steps_zh` and `steps_en` are the same one to three steps, the first first.

    `respond_within_s` is how soon the first step has to be under way, seconds; always the product's advice (PD), no
    clause was found that gives one. `source` says where the steps come from, `source_zh` the same in Chinese (empty: as
    `source`), `certainty` how sure that is, by the codes of the rules (V1, V2, M-H, M-M, M-L, PD).
    """

    cause_zh: str
    cause_en: str
    consequence_zh: str
    consequence_en: str
    steps_zh: tuple[str, ...]
    steps_en: tuple[str, ...]
    respond_within_s: float
    owner_zh: str
    owner_en: str
    source: str
    certainty: str
    source_zh: str = ""
