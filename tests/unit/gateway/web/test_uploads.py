"""Only a surveyor's table may be longer than a command, and only of a type that no foreign page can send."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.web.guard import MAX_COMMAND_BYTES, MAX_UPLOAD_BYTES
from tests.fakes.web_face import Face

READINGS = "/api/pits/pit-1/readings"
ROUTE = "/api/pits/{asset}/readings"


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    made = Face(tmp_path)

    @made.app.post(ROUTE)
    async def taken() -> int:
        return 1

    made.site.start()
    yield made
    await made.close()


async def _post(face: Face, path: str, size: int, kind: str) -> int:
    reply = await face.client.post(path, content=b"x" * size, headers={"content-type": kind})
    return reply.status_code


@pytest.mark.parametrize(("size", "status"), [(MAX_COMMAND_BYTES + 1, 200), (MAX_UPLOAD_BYTES + 1, 413)])
async def test_a_table_has_room_up_to_ten_megabytes(face: Face, size: int, status: int) -> None:
    assert await _post(face, READINGS, size, "text/csv") == status


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", ""])
async def test_what_a_form_can_send_is_refused(face: Face, kind: str) -> None:
    assert await _post(face, READINGS, 10, kind) == 415


@pytest.mark.parametrize("path", ["/api/alarms/1/acknowledge", f"{READINGS}/"])
async def test_every_other_path_stays_as_narrow_as_it_was(face: Face, path: str) -> None:
    assert await _post(face, path, 10, "text/csv") == 415
    assert await _post(face, path, MAX_COMMAND_BYTES + 1, "application/json") == 413
