"""How a browser wants to see the pages: language and appearance, kept in two cookies of its own.

In: a request. Out: the choice; Chinese and automatic until somebody chose. `?lang=en` shows one page in English.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from screens.addresses import local_path
from screens.catalogue import Language

LANGUAGE_COOKIE: Final = "language"
THEME_COOKIE: Final = "theme"
THEMES: Final = ("auto", "light", "dark")
YEAR_S: Final = 31_536_000


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="ignore")

    language: Language = "zh-CN"
    theme: Annotated[str, "one of THEMES"] = "auto"
    back: str = "/"


def language_of(request: Request) -> Language:
    """The language that the address or else the cookie names."""
    wanted = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return "en" if wanted == "en" else "zh-CN"


def theme_of(request: Request) -> str:
    """The theme that the address or else the cookie names, one of `THEMES`."""
    theme = request.query_params.get("theme") or request.cookies.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


def display_chosen(request: Request, form: Mapping[str, str]) -> Response | None:
    """Back to where the form was, with the choice in cookies; None for a choice that there is not."""
    try:
        wanted = _Wanted.model_validate(dict(form))
    except ValidationError:
        return None
    answer = RedirectResponse(local_path(wanted.back), 303)
    kept = {LANGUAGE_COOKIE: wanted.language, THEME_COOKIE: wanted.theme if wanted.theme in THEMES else "auto"}
    for name, value in kept.items():
        answer.set_cookie(name, value, max_age=YEAR_S, samesite="strict", secure=request.scope["scheme"] == "https")
    return answer
