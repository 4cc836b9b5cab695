"""Where a request goes and where a visitor returns to. In: requests and paths that anybody may have written."""

from starlette.requests import Request


def path_of(request: Request) -> str:
    """The path as routes see it. `request.url.path` is made with the Host header, which anybody may write as he likes:
    what decides over rights must not look there."""
    return str(request.scope["path"])


def back_of(request: Request) -> str:
    """Where a visitor returns to: the page that was asked for; a form's page is what sent it."""
    return path_of(request) + (f"?{request.url.query}" if request.url.query else "")


def local_path(wanted: str) -> str:
    """A path of this face, or its first page: never an address elsewhere."""
    own = wanted.startswith("/") and not wanted.startswith("//")
    plain = not any(ord(character) < 32 for character in wanted) and "\\" not in wanted
    return wanted if own and plain else "/"
