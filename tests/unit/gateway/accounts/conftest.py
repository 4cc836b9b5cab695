from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.account_bench import AccountBench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[AccountBench]:
    bench = AccountBench(tmp_path)
    await bench.start()
    yield bench
    await bench.close()
