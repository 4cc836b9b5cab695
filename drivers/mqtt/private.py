"""Blots what is about a person out of a message, so that neither evidence nor what is put aside holds it.

In: the bytes of a message, whole or cut short, valid JSON or not. Out: the same bytes with the values of the private
keys replaced by null, at any depth. Pure. What is in doubt is blotted: a value that never ends, or that is an object or
a list, takes the rest of the message with it. Knows nothing of tables and topics.

    {"IdNo": "11010119900101001X", "Weight": 2.5}  -->  {"IdNo": null, "Weight": 2.5}
"""

import re
from collections.abc import Sequence

_VALUE = rb"""(?: "(?:[^"\\]|\\.)*(?:"|\\?\Z)   # a text, perhaps cut short
              | [^\s"{}\[\],][^,}\]]*          # a number or a word
              | [{\[].*\Z                      # an object or a list: all that follows
              )"""


class Blotter:
    """Compiled once a device. Keys are matched as they stand between quotes, also with characters escaped."""

    def __init__(self, keys: Sequence[str]) -> None:
        names = b"|".join(_spelled(key) for key in keys)
        pattern = rb"(\"(?:" + names + rb")\"[\s:]*)" + _VALUE
        self._pattern = re.compile(pattern, re.VERBOSE | re.DOTALL | re.IGNORECASE) if keys else None

    def blot(self, payload: bytes) -> bytes:
        """What may be kept of this payload."""
        return payload if self._pattern is None else self._pattern.sub(rb"\1null", payload)


def _spelled(key: str) -> bytes:
    """A pattern for the key, each character as itself or as its JSON escape."""
    return b"".join(b"(?:%s|\\\\u%04x)" % (re.escape(each.encode()), ord(each)) for each in key)
