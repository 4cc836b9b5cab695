"""The table of modules by extra agrees with what pyproject.toml says that an extra brings."""

import importlib.metadata
import importlib.util
import sys
import tomllib
from pathlib import Path

import pytest

from contract.extras import EXTRAS, MissingExtraError, missing_extra, require
from tests.fakes.bare_environment import closure, needs, normalised

CHECKOUT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
NOT_INSTALLED_HERE = {"torch": "torch"}
"""Only the training's own environment has it."""


def modules_of(requirement: str) -> set[str]:
    """The importable names of a distribution that is installed here, `psycopg` of `psycopg[binary]>=3.2`."""
    name = normalised(requirement.split(">", maxsplit=1)[0].split("[", maxsplit=1)[0])
    by_module = importlib.metadata.packages_distributions()
    found = {module for module, owners in by_module.items() if name in map(normalised, owners)}
    return found or {NOT_INSTALLED_HERE[name]}


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_the_modules_of_an_extra_are_those_of_its_distributions(extra: str) -> None:
    named = PROJECT["optional-dependencies"][extra]
    own = [each for each in named if not each.startswith("sitewarden[")]
    others = {each for text in named if text.startswith("sitewarden[") for each in text[11:-1].split(",")}
    wanted = [modules_of(each) for each in own] + [{module} for other in others for module in EXTRAS[other]]
    assert all(modules & set(EXTRAS[extra]) for modules in wanted)
    assert set(EXTRAS[extra]) <= set().union(*wanted)


def test_a_box_brings_no_database_layer_and_a_desk_no_video() -> None:
    by_extra = {extra: closure(needs(PROJECT, extra)) for extra in ("box", "desk")}
    assert not by_extra["box"] & {"sqlalchemy", "alembic", "psycopg", "minio", "authlib"}
    assert not by_extra["desk"] & {"opencv-python-headless", "opencv-python", "onnxruntime", "av", "pymodbus", "amqtt"}


def test_the_two_ways_to_install_a_box_differ_in_opencv_alone() -> None:
    extras = PROJECT["optional-dependencies"]
    assert set(extras["box"]) ^ set(extras["box-desktop"]) == {"opencv-python-headless>=4.13", "opencv-python>=4.13"}


def test_a_missing_module_is_named_with_its_extra_and_the_command() -> None:
    found = missing_extra(ModuleNotFoundError(name="sqlalchemy.orm"))
    assert str(found) == (
        "the Python package 'sqlalchemy' is not installed. It belongs to the extra 'desk'. "
        "Install it: pip install 'sitewarden[desk]'"
    )


def test_a_module_of_no_extra_is_nothing_that_an_extra_would_bring() -> None:
    assert missing_extra(ModuleNotFoundError(name="gateway.no_such_part")) is None
    assert missing_extra(ModuleNotFoundError("no name")) is None


def test_what_is_installed_is_not_missing() -> None:
    before = set(sys.modules)
    for extra in ("box", "desk", "demo"):
        require(extra)
    assert not (set(sys.modules) - before) & {"torch", "amqtt", "onnxruntime"}


@pytest.mark.skipif(bool(importlib.util.find_spec("torch")), reason="torch is installed here")
def test_the_first_module_that_is_missing_is_named() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'sitewarden\[training\]'") as caught:
        require("training")
    assert caught.value.name == "torch"
