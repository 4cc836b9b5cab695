"""The rule for new passwords, the same at the box and at the desk.

In: a password as typed and the login name it is for. Out: the form that is hashed (NFKC), and what the rule says of it.
"""

import unicodedata
from enum import Enum

LEAST_CHARACTERS = 10
MOST_CHARACTERS = 128
LEAST_DIFFERENT = 4
_LONG_BUT_COMMON = """
    0123456789 1234567890 0987654321 9876543210 12345678910 123456789a a123456789 aa12345678 abc1234567 abcd123456
    abcdefghij password12 password123 passw0rd123 password1234 qwertyuiop qwerty1234 qwerty123456 1q2w3e4r5t
    1qaz2wsx3edc 1qazxsw23edc zaq12wsxcde3 asdfghjkl1 asdf123456 zxcvbnm123 qwer123456 q123456789 admin12345
    admin123456 administrator administrator1 root123456 iloveyou123 woaini1314 woaini520520 5201314520 1314520520
    woaini123456 letmein1234 changeme123 welcome123 sitewarden sitewarden1 sitewarden123 supervisor1 supervisor123
"""
COMMON = frozenset(_LONG_BUT_COMMON.split())
"""The commonest of those that are long enough; after the lists that are passed around, in lower case."""


class PasswordFault(Enum):
    """Why a password is not taken."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    IS_THE_NAME = "is_the_name"
    TOO_COMMON = "too_common"


def normal_password(password: str) -> str:
    """What is hashed. What nobody could have chosen is cut, so that its length costs nothing."""
    return unicodedata.normalize("NFKC", password[: 4 * MOST_CHARACTERS])


def password_fault(password: str, name: str) -> PasswordFault | None:
    """Why this new password of `name` is not taken; None: it is."""
    normal = unicodedata.normalize("NFKC", password)
    if len(normal) < LEAST_CHARACTERS:
        return PasswordFault.TOO_SHORT
    if len(normal) > MOST_CHARACTERS:
        return PasswordFault.TOO_LONG
    plain = normal.casefold()
    if plain.strip("0123456789.-_! ") == name or plain == name:
        return PasswordFault.IS_THE_NAME
    if plain in COMMON or len(set(plain)) < LEAST_DIFFERENT:
        return PasswordFault.TOO_COMMON
    return None
