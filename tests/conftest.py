"""What holds for every test: Hypothesis counts no time. How long an example takes says how busy the machine is. And
what is made while tests are collected, which lives as long as the process, is looked through for garbage by nobody."""

import gc
import importlib.util
from collections.abc import Generator

import pytest

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
