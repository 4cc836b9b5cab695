"""Permissions of every address. An address without an entry is closed.

    /healthz /readyz /static/ /v1/ /login /documents/check/ ...  anybody (/v1/ carries signatures of its own)
    /me /seat /api/session ...                                   whoever is logged in
    reading                                                      any duty
    changing                                                     a duty that is not only reading

A route asks for more (`actor_of(request, Duty.REVIEWER)`), never for less.
"""

import re
from typing import Final

from regulator.model.actor import Duty
from screens.guarding import FORM_TYPE, JSON_TYPE, BodyLimit

CONTRACT: Final = "/v1/"
OPEN_PATHS: Final = ("/healthz", "/readyz", "/favicon.ico")
OPEN_FOLDERS: Final = ("/static/", CONTRACT)
OPEN_PAGES: Final = ("/login", "/logout", "/api/login", "/api/logout", "/preferences", "/oidc/start", "/oidc/callback")
OPEN_PAGE_FOLDERS: Final = ("/documents/check/",)
_OWN: Final = re.compile(r"/(me|seat|api/session)(/.*)?")
READING: Final = ("GET", "HEAD")
LOOKING: Final = frozenset({Duty.VIEWER, Duty.AUDITOR})
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


def open_to_all(path: str) -> bool:
    """Whether a path needs nobody to be known."""
    return path in OPEN_PATHS or path in OPEN_PAGES or path.startswith((*OPEN_FOLDERS, *OPEN_PAGE_FOLDERS))


def own_business(path: str) -> bool:
    """Whether a path is about the visitor alone, and needs no duty."""
    return bool(_OWN.fullmatch(path))


def body_limit(path: str) -> BodyLimit:
    """What a body sent to a path may be."""
    found = next((limit for pattern, limit in _UPLOADS if pattern.fullmatch(path)), None)
    if found is not None:
        return found
    return _JSON if path.startswith("/api/") else _FORM
