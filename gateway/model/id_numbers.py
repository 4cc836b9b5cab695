"""What a citizen's ID-card number (公民身份号码) looks like in a text, and how it is shown and logged: masked.

In: any text. Out: the same text with such numbers masked. Knows no person and no file.

Eighteen characters: six of the region, eight of the birthday, three in sequence and one to check (GB 11643-1999, M-H).
Whether the last one fits is not asked: a number that was mistyped is still somebody's.
"""

import logging
import re
from collections.abc import Mapping, Sequence

from gateway.model.derivation import Json

_DAY = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ID_NUMBER = re.compile(rf"(?<![\d.])([1-9]\d{{5}})({_DAY}\d{{3}}[\dXx])(?!\d)", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def holds_id_number(text: str) -> bool:
    """Whether something in the text has the form of an ID-card number."""
    return _ID_NUMBER.search(text) is not None


def is_id_number(text: str) -> bool:
    """Whether the whole text has that form."""
    return _ID_NUMBER.fullmatch(text) is not None


def check_character_fits(id_number: str) -> bool:
    """Whether the last character is the one that GB 11643-1999 (M-H) computes from the others."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, id_number, strict=False))
    return id_number[-1].upper() == _CHECK[total % 11]


def mask_id_numbers(text: str) -> str:
    """The text with birthday, sequence and check character of every such number starred."""
    return _ID_NUMBER.sub(lambda found: found[1][:2] + "*" * 16, text)


def mask_content(content: Json) -> Json:
    """The same for every text in a record; numbers stay as they are."""
    if isinstance(content, str):
        return mask_id_numbers(content)
    if isinstance(content, Mapping):
        return {mask_id_numbers(name): mask_content(part) for name, part in content.items()}
    if isinstance(content, Sequence):
        return [mask_content(part) for part in content]
    return content


class MaskingFormatter(logging.Formatter):
    """A log formatter that lets no ID-card number through: not in a message, its arguments or a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The finished line of the log, identity numbers masked."""
        return mask_id_numbers(super().format(record))
