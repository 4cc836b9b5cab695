from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.account_face import AccountFace


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[AccountFace]:
    """A web face with accounts; `set_up` and `browser_of` log people in over HTTP."""
    face = AccountFace(tmp_path)
    await face.start()
    yield face
    await face.close()
