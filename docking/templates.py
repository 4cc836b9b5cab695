"""Texts with places to fill in: `{ts}`, `{nonce}`, `{body}`, `{sorted}`, `{token}`, `{signature}`, `{a_credential}`.

In: a template and what the names mean. Out: the text. `{{` and `}}` are braces. Nothing else of Python's formatting
works: a map must not reach into objects.
"""

import re
from collections.abc import Mapping

_PIECE = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}|[{}]")


def names_in(template: str) -> tuple[str, ...]:
    """Every name, in order. Raises ValueError for a brace that opens or closes nothing."""
    found = []
    for piece in _PIECE.finditer(template):
        if piece[0] in ("{", "}"):
            raise ValueError(f"a single {piece[0]} at character {piece.start() + 1}")
        if piece[1]:
            found.append(piece[1])
    return tuple(found)


def filled(template: str, known: Mapping[str, str]) -> str:
    """The text. Raises LookupError for a name that is not known."""

    def one(piece: "re.Match[str]") -> str:
        """The text that stands for one piece of the template."""
        return known[piece[1]] if piece[1] else piece[0][0]

    return _PIECE.sub(one, template)
