"""Free text by people: up to 4,000 characters, any script, kept as written.

In: the text of a form. Out: the same with one kind of line ends and without characters that no screen shows; ID-card
numbers are masked, as in every text that the box keeps. Too long is an error, never cut off. Knows no form.
"""

from gateway.model.id_numbers import mask_id_numbers

MAX_CHARACTERS = 4_000


class TextTooLongError(ValueError):
    """The text `field` has more characters than the box takes."""

    def __init__(self, field: str, characters: int) -> None:
        self.field, self.characters = field, characters
        super().__init__(f"{field}: {characters} characters, expected at most {MAX_CHARACTERS}")


def free_text(field: str, text: str) -> str:
    """The text as it is kept. A character is a Unicode code point: an emoji counts as one, or as its parts.

    Raises TextTooLongError.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    shown = "".join(character for character in lines if character == "\n" or _shown(character)).strip()
    if len(shown) > MAX_CHARACTERS:
        raise TextTooLongError(field, len(shown))
    return mask_id_numbers(shown)


def _shown(character: str) -> bool:
    """Not a control character, nor half of a surrogate pair, which no UTF-8 can hold."""
    code = ord(character)
    return code >= 0x20 and code != 0x7F and not 0x80 <= code < 0xA0 and not 0xD800 <= code < 0xE000
