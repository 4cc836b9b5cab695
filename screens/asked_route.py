"""Which route of an application a request asks for, as the router itself will find it, for both faces.

In: a request, before any route has run. Out: the route's address with its parameters' names, by which an access table
knows it. The guard and the router agree, because both ask the same routes in the same order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.routing import Match


@dataclass(frozen=True, slots=True)
class AskedRoute:
    """`path`: the first route that fits, as it was registered; empty when no route has this address. `taken`: it takes
    the method, too; else the answer is 405. `values`: the address's parameters."""

    path: str = ""
    taken: bool = False
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def takes_only_others(self) -> bool:
        """Whether routes have this address, but none the method: the answer is 405, whatever the body is."""
        return bool(self.path) and not self.taken


def asked_route(request: Request) -> AskedRoute:
    """The route that will answer."""
    partial = AskedRoute()
    for route in request.app.routes:
        match, found = route.matches(request.scope)
        if match is Match.NONE:
            continue
        asked = AskedRoute(getattr(route, "path", ""), match is Match.FULL, found.get("path_params", {}))
        if asked.taken:
            return asked
        partial = partial if partial.path else asked
    return partial
