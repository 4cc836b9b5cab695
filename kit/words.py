"""A text in both languages, Chinese first. Knows no language of a visitor: whoever shows it asks for one."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """Empty for none."""

    zh: str = ""
    en: str = ""

    def said(self, language: str) -> str:
        """In one of them: English for `en`, Chinese for any other."""
        return self.en if language == "en" else self.zh


NO_WORDS: Final = Words()
