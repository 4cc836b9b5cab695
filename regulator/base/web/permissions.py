"""What a body sent to an address may be: its kind and its length, by the address alone.

In: a path. Out: the limit. Who may send it is in regulator.base.web.access_table.
"""

import re
from typing import Final

from kit.web.guarding import FORM_TYPE, JSON_TYPE, BodyLimit

MIB: Final = 2**20
MAX_FORM_BYTES: Final = MIB
"""The longest paper: some texts of 4,000 characters, a Chinese one nine bytes long in a form."""
MAX_JSON_BYTES: Final = 65_536
MAX_TABLE_BYTES: Final = 10 * MIB
MAX_PHOTO_BYTES: Final = 20 * MIB
MAX_PACKAGE_BYTES: Final = 512 * MIB
PART_HEADS: Final = 65_536
"""What a multipart body carries beside its file: other fields and their heads."""
MULTIPART: Final = "multipart/form-data"
_FORM: Final = BodyLimit((FORM_TYPE,), MAX_FORM_BYTES)
_JSON: Final = BodyLimit((JSON_TYPE,), MAX_JSON_BYTES, "json_needed", "请求应为 JSON")
_TABLE: Final = BodyLimit((MULTIPART, FORM_TYPE), MAX_TABLE_BYTES + PART_HEADS)
_PHOTO: Final = BodyLimit((MULTIPART, FORM_TYPE), MAX_PHOTO_BYTES + PART_HEADS)
_PACKAGE: Final = BodyLimit((MULTIPART,), MAX_PACKAGE_BYTES + PART_HEADS)
_UPLOADS: Final = (
    (re.compile(r"/(.*/)?(import|upload)(/.*)?"), _TABLE),
    (re.compile(r"/(.*/)?(photos|evidence)"), _PHOTO),
    (re.compile(r"/verify"), _PACKAGE),
)
"""Where files arrive: paths that end in `/import` or `/upload` take a table, `/photos` and `/evidence` a picture."""


def body_limit(path: str) -> BodyLimit:
    """What a body sent to a path may be."""
    found = next((limit for pattern, limit in _UPLOADS if pattern.fullmatch(path)), None)
    if found is not None:
        return found
    return _JSON if path.startswith("/api/") else _FORM
