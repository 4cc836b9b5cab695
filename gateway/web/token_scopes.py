"""What each scope of a token lets in, and as which role. What no scope lists, no token may do.

    metrics    GET  /metrics                                    Prometheus
    read       GET  all that a viewer may see                   figures elsewhere, Grafana
    audit      GET  /audit, /audit.csv                          a collector of logs
    readings   POST /api/pits/{asset}/readings                  a surveyor's instrument
    command    POST /api/alarms/... /api/subjects/... and the baselines of pits and cranes      a control room
    reload     POST /api/reload                                 whoever brings the site file

In: scopes, a method, a path. Out: a role, which the routes ask for as of a person. Pages' forms are for people alone.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.accounts.person import Role
from gateway.accounts.tokens import TokenScope

LOOKING: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class _Opens:
    methods: tuple[str, ...]
    paths: re.Pattern[str]
    role: Role


_OPENS: Final = {
    TokenScope.METRICS: _Opens(LOOKING, re.compile(r"/metrics"), Role.VIEWER),
    TokenScope.READ: _Opens(LOOKING, re.compile(r".*", re.DOTALL), Role.VIEWER),
    TokenScope.AUDIT: _Opens(LOOKING, re.compile(r"/audit(\.csv)?"), Role.SAFETY_OFFICER),
    TokenScope.READINGS: _Opens(("POST",), re.compile(r"/api/pits/[^/]+/readings"), Role.SUPERVISOR),
    TokenScope.COMMAND: _Opens(
        ("POST",),
        re.compile(
            r"/api/alarms/[^/]+/(acknowledge|note|shelve|unshelve|reset|false_alarm|withdraw_judgement|hand_over)"
            r"|/api/subjects/[^/]+/(out_of_service|in_service)"
            r"|/api/pits/[^/]+/baselines|/api/cranes/[^/]+/tilt_baseline"
        ),
        Role.SAFETY_OFFICER,
    ),
    TokenScope.RELOAD: _Opens(("POST",), re.compile(r"/api/reload"), Role.ADMINISTRATOR),
}
COMMANDING: Final = frozenset({TokenScope.COMMAND, TokenScope.RELOAD})
"""Scopes whose token is worth a password: it never crosses an open network."""
OF_THE_SITE_FILE: Final = (TokenScope.METRICS, TokenScope.READ)
"""What the one token of the site file (`web.token`) still may; it has no end and cannot be taken back."""


def role_of(scopes: Iterable[str], method: str, path: str) -> Role:
    """The role in which a token with these scopes asks for this; NOBODY where none of them lets it in."""
    opens = (_OPENS[TokenScope(scope)] for scope in scopes)
    found = [each.role for each in opens if method in each.methods and each.paths.fullmatch(path)]
    return max(found, default=Role.NOBODY)


def scopes_for(method: str, path: str, least: Role) -> list[str]:
    """Which scopes let a request in that asks for this role."""
    return [str(scope) for scope in TokenScope if role_of((scope,), method, path) >= least]
