"""What generated requests to a desk need so that they come further than its doors: the token of its forms, and, in
every second request, ids of things that there are. Read by schemathesis in its own process; see schemathesis.toml."""

import json
import os
from typing import Any

import schemathesis

KNOWN: dict[str, Any] = json.loads(os.environ["PUBLISHED_DESK"])
"""`csrf` and the cookie `browser` that it was made for, and by name of a path's parameter what there is of it."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """The last look at a request that is about to leave."""
    case.cookies = {**(case.cookies or {}), "browser": KNOWN["browser"]}
    if isinstance(case.body, dict) and "csrf" in case.body:
        case.body["csrf"] = KNOWN["csrf"]
    for name in case.path_parameters or {}:
        if name in KNOWN and len(str(case.path_parameters[name])) % 2 == 0:
            case.path_parameters[name] = KNOWN[name]
