"""The route of the browser's files: for ever under the digest of today, asked for anew under any other."""

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from screens.answers import error_answer
from screens.static_files import StaticFiles

FOR_EVER: Final = "public, max-age=31536000, immutable"


def static_routes(app: FastAPI, files: StaticFiles) -> None:
    """`/static/<digest>/<area>/<path>`."""

    @app.get("/static/{digest}/{name:path}")
    async def static_file(digest: str, name: str) -> Response:
        found = files.get(name)
        if found is None:
            return error_answer(404, "no_such_file", "没有这个文件", f"no file is called {name}", "")
        cache = FOR_EVER if digest == files.digest else "no-cache"
        return Response(found.body, media_type=found.media_type, headers={"cache-control": cache})
