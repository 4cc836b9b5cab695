"""The QR code by which a document is checked: of one address for its page and its PDF. Choosing its pattern is most of
the work, so the last ones are kept."""

from functools import lru_cache

import segno


@lru_cache(maxsize=8)
def check_code(address: str) -> segno.QRCode:
    """The code of an address, with a seventh of it restorable."""
    return segno.make(address, error="m")
