"""Which role a request needs, before any route is asked: nothing is open by forgetting.

    /healthz /readyz /static/ /login /setup /preferences ...   anybody
    reading                                                  VIEWER
    changing                                                 SUPERVISOR, or what the table says

In: method and path. Out: a role. A route may ask for more (`require`), never for less.
"""

import re
from typing import Final

from gateway.web.visitor import Role

OPEN_PATHS: Final = ("/healthz", "/readyz")
OPEN_FOLDERS: Final = ("/static/",)
OPEN_PAGES: Final = ("/login", "/logout", "/setup", "/preferences", "/wall/pair", "/favicon.ico", "/ca.crt")
READING: Final = ("GET", "HEAD")
_OWN_ACCOUNT: Final = re.compile(r"/me(/.*)?")
_ROLES: Final = (
    (re.compile(r"/api/alarms/[^/]+/(shelve|unshelve|reset)"), Role.SAFETY_OFFICER),
    (re.compile(r"/api/subjects/.*"), Role.SAFETY_OFFICER),
    (re.compile(r"/alarms/[^/]+/case/.*"), Role.SAFETY_OFFICER),
    (re.compile(r"/permits/(permit|check)(/.*)?"), Role.SAFETY_OFFICER),
    (re.compile(r"/permits/warning(/[^/]+/withdraw)?"), Role.SAFETY_OFFICER),
    (re.compile(r"/packs/[^/]+/(approve|decline)"), Role.SAFETY_OFFICER),
    (re.compile(r"/cameras/[^/]+/survey"), Role.SAFETY_OFFICER),
    (re.compile(r"/api/pits/[^/]+/baselines"), Role.SAFETY_OFFICER),
    (re.compile(r"/api/cranes/[^/]+/tilt_baseline"), Role.SAFETY_OFFICER),
    (re.compile(r"/api/reload"), Role.ADMINISTRATOR),
    (re.compile(r"/(people|walls|tokens)(/.*)?"), Role.ADMINISTRATOR),
)


def open_to_all(path: str) -> bool:
    """Whether a path needs nobody to be known."""
    return path in OPEN_PATHS or path in OPEN_PAGES or path.startswith(OPEN_FOLDERS)


def needed_role(method: str, path: str) -> Role:
    """The least role for a request."""
    if open_to_all(path):
        return Role.NOBODY
    if method in READING or _OWN_ACCOUNT.fullmatch(path):
        return Role.VIEWER
    return next((role for pattern, role in _ROLES if pattern.fullmatch(path)), Role.SUPERVISOR)
