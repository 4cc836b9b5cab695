"""The digest of a rule pack: the same at the desk that offers it and on the box that judges by it.

In: its files by name. Out: SHA-256 in hex. A folder's name, dates and the order of files count for nothing.
"""

import hashlib
from collections.abc import Mapping

from contract.canonical import canonical_bytes


def pack_sha256(files: Mapping[str, str]) -> str:
    """Of the canonical JSON object {file name: text}."""
    return hashlib.sha256(canonical_bytes(dict(files))).hexdigest()
