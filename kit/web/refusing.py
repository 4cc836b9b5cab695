"""What the framework would answer in a shape of its own, in the house's shape instead, for both faces.

In: an application, and how its face refuses. Out: 404, 405 with `Allow`, 422 for parameters and bodies that do not fit.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Match

from kit.refusals import RefusedError

NO_SUCH_METHOD: Final = 405
UNREADABLE: Final = 400
"""What the framework answers to a body that is no UTF-8."""
Refuse = Callable[[Request, RefusedError], Awaitable[Response]]


def framework_refusals(app: FastAPI, refuse: Refuse) -> None:
    """Refuse through `refuse` what no route answers."""

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        said = f"{field}: {first['msg']}"
        return await refuse(request, RefusedError(422, "bad_request", "请求内容有误", said, field))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        fault = RefusedError(error.status_code, "no_such_page", "没有这个地址或方法", str(error.detail))
        if error.status_code == UNREADABLE:
            fault = RefusedError(422, "bad_request", "请求内容有误", "the body cannot be read", "body")
        answer = await refuse(request, fault)
        answer.headers.update(error.headers or {})
        if error.status_code == NO_SUCH_METHOD:  # the framework names the methods of the first route alone
            answer.headers["allow"] = ", ".join(sorted(_methods_there(request)))
        return answer


def _methods_there(request: Request) -> set[str]:
    """The methods of all routes that an address fits."""
    fitting = (route for route in request.app.routes if route.matches(request.scope)[0] is Match.PARTIAL)
    return {method for route in fitting for method in getattr(route, "methods", None) or ()}
