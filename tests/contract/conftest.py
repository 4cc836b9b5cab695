"""Which regulators the contract suite runs against: the test regulator on SQLite and on PostgreSQL, `python -m
regulator`, and any other whose address is in SITEWARDEN_CONTRACT_URL, with a fresh code in SITEWARDEN_CONTRACT_CODE for
the box in SITEWARDEN_CONTRACT_BOX (contract-box where nothing is said) of the project CONTRACT-1."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.fakes.contract_box import Answer, ContractBox
from tests.fakes.postgresql import PostgreSQL, reachable_folder, remove
from tests.fakes.regulator import FakeRegulator
from tests.fakes.regulator_process import regulator_process

URL = os.environ.get("SITEWARDEN_CONTRACT_URL", "")
CODE = os.environ.get("SITEWARDEN_CONTRACT_CODE", "")
BOX = os.environ.get("SITEWARDEN_CONTRACT_BOX", "contract-box")
PROJECT = "CONTRACT-1"


@dataclass(frozen=True)
class Enrolled:
    """A regulator and the one box that its one code has enrolled."""

    url: str
    code: str
    box: ContractBox
    answer: Answer


@pytest.fixture(scope="session", params=["test-regulator", "postgresql", "process", *(["given"] if URL else [])])
def end(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "given":
        yield URL, CODE
    elif request.param == "process":
        with regulator_process(folder, BOX, PROJECT) as process:
            yield process.url, process.enrol_code
    elif request.param == "postgresql":
        with _postgresql_url() as url, FakeRegulator(folder, database_url=url) as regulator:
            yield regulator.url, regulator.code_for(BOX, PROJECT)
    else:
        with FakeRegulator(folder) as regulator:
            yield regulator.url, regulator.code_for(BOX, PROJECT)


@contextmanager
def _postgresql_url() -> Iterator[str]:
    folder = reachable_folder()
    server = PostgreSQL(folder, durable=False)
    server.start()
    try:
        yield server.url(server.create())
    finally:
        server.stop()
        remove(folder)


@pytest.fixture(scope="session")
def enrolled(end: tuple[str, str]) -> Iterator[Enrolled]:
    url, code = end
    with ContractBox(url, BOX) as box:
        yield Enrolled(url, code, box, box.enrol(code))


@pytest.fixture
def box(enrolled: Enrolled) -> ContractBox:
    assert enrolled.answer.status == 200, enrolled.answer.reply
    return enrolled.box


@pytest.fixture
def fresh_key() -> str:
    return f"event-{uuid.uuid4().hex}"
