"""Pictures and clips as they were captured, by digest; each viewing is in the ledger before the first byte leaves.

GET /media/{sha256}       with Range, so that a player can jump
"""

import re
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import Response

from regulator.base.desk import Desk
from regulator.base.model.refusals import RefusedError
from regulator.base.web.pages import Pages
from regulator.base.web.visitor import presence_of
from regulator.parts.evidence.viewing import NOT_FOUND, Shown, require_shown, viewing_is_written, write_viewing
from screens.answers import error_answer

SHOWN_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "video/mp4")
DOWNLOAD: Final = "application/octet-stream"
RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def media_pages(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The route."""

    @app.get("/media/{sha256}")
    def media(request: Request, sha256: str) -> Response:
        """A picture or clip; who looked is in the ledger."""
        actor, session = pages.actor(request), presence_of(request).session
        if not DIGEST.fullmatch(sha256):
            raise NOT_FOUND
        now_ns = desk.now_ns()
        with desk.database.reading() as db:
            shown = require_shown(db, actor, sha256)
            written = viewing_is_written(db, session.session_id, sha256, now_ns)
        content = _read(desk, sha256)
        if not written:
            with desk.database.transaction() as db:
                write_viewing(db, desk.ledger, shown, actor, session.session_id, now_ns)
        return _answer(request.headers.get("range", ""), shown, content)


def _read(desk: Desk, sha256: str) -> bytes:
    """Raises RefusedError: 404 not there (yet), 500 not the bytes that were kept."""
    try:
        return desk.shelf.read(sha256)
    except LookupError:
        words = ("影像尚未送达", "the picture or clip has not arrived")
        raise RefusedError(404, "media_not_here", *words, "sha256") from None
    except ValueError:
        words = ("存档影像与校验值不符，不予显示", "the stored bytes do not have this digest: they are not shown")
        raise RefusedError(500, "media_damaged", *words, "sha256") from None


def _answer(wanted: str, shown: Shown, content: bytes) -> Response:
    plain = shown.media_type in SHOWN_TYPES
    headers = {"accept-ranges": "bytes", "content-disposition": "inline" if plain else "attachment"}
    media_type = shown.media_type if plain else DOWNLOAD
    if not wanted:
        return Response(content, media_type=media_type, headers=headers)
    span = _span(wanted, len(content))
    if span is None:
        words = ("没有这段内容", f"Range: there are {len(content)} bytes")
        answer = error_answer(416, "no_such_range", *words, "range")
        answer.headers.update({"content-range": f"bytes */{len(content)}", "accept-ranges": "bytes"})
        return answer
    headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{len(content)}"
    return Response(content[span.start : span.stop], 206, media_type=media_type, headers=headers)


def _span(wanted: str, length: int) -> range | None:
    """The bytes that a Range header asks for; None: there are none such."""
    found = RANGE.fullmatch(wanted.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return range(max(0, length - int(found[2])), length) if int(found[2]) else None
    first, last = int(found[1]), min(int(found[2] or length), length - 1)
    return range(first, last + 1) if first <= last else None
