"""The two check sheets of a round (notice A1): the site, and the duty of the firm and its key people. Pure.

What they ask stands in files (see `sheet_file`); here is what a sheet is, and which of them each level needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from regulator.base.kinds import ItemLevel, Word


class SheetKind(Word):
    """Which sheet."""

    SITE = "site", "现场检查表", "site sheet"
    DUTY = "duty", "履职检查表", "duty sheet"


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a sheet. `hazard_*`: the title of the hazard that its answer HAZARD opens."""

    key: str
    zh: str
    en: str
    hazard_zh: str
    hazard_en: str


@dataclass(frozen=True, slots=True)
class SheetBook:
    """Every sheet with its questions, in order."""

    sheets: Mapping[SheetKind, tuple[Question, ...]]

    def questions(self, kind: SheetKind) -> tuple[Question, ...]:
        """Of one sheet."""
        return self.sheets[kind]


REQUIRED: dict[ItemLevel, tuple[SheetKind, ...]] = {
    ItemLevel.FIRM: (SheetKind.DUTY,),
    ItemLevel.PROJECT: (SheetKind.SITE, SheetKind.DUTY),
    ItemLevel.DEVICE: (SheetKind.SITE,),
}
"""What has to be filled in before something counts as inspected."""
