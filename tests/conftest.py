"""What holds for every test: Hypothesis counts no time. How long an example takes says how busy the machine is. What
is made while tests are collected, which lives as long as the process, is looked through for garbage by nobody. And the
logging that a command sets up for its process ends with its test."""

import gc
import importlib.util
import logging
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BESIDE_OTHERS = frozenset({"browser", "deploy", "desk", "e2e", "faults", "requirements", "wire"})

if importlib.util.find_spec("hypothesis"):  # it is not where the training is tested
    from hypothesis import settings

    settings.register_profile("any-machine", deadline=None)
    settings.load_profile("any-machine")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Two fifths of a collection's processor time were the garbage collector's, which found nothing to free."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests beside other processes, with real servers and real time, are tried once more when they fail, and the report
    names them: four test processes share two cores with a browser and databases, and an answer can be late for no
    fault of its own. Tests that run alone have no such excuse, nor have those without a server."""
    for item in items:
        if BESIDE_OTHERS.intersection(item.path.relative_to(HERE).parts) and not item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command that a test runs in this process sets the root logger up; the next test must not read its lines."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    for handler in [each for each in root.handlers if each not in handlers]:
        root.removeHandler(handler)
        handler.close()
    for handler in [each for each in handlers if each not in root.handlers]:
        root.addHandler(handler)
    root.setLevel(level)
