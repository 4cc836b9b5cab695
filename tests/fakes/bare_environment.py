"""A virtual environment that holds what it is given and nothing else, built without a network.

The distributions come from the environment that runs the tests: each file of theirs is linked, so that an environment
with 600 MB stands in a second. A distribution that was not named is absent, with its metadata.
"""

import importlib.metadata
import re
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement


def bare_environment(folder: Path, distributions: Iterable[str]) -> Path:
    """The folder of a new environment with these distributions. Raises PackageNotFoundError for one not installed."""
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in sorted(distributions):
        _link(importlib.metadata.distribution(name), packages)
    return folder


def put_checkout(environment: Path, checkout: Path) -> None:
    """The checkout on the environment's path, as `make demo` does it: without metadata."""
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "checkout.pth").write_text(f"{checkout}\n")


def needs(project: Mapping[str, Any], extra: str) -> list[str]:
    """What `[project]` of a pyproject.toml wants with this extra (none for the empty text), extras of extras too."""
    named = project["optional-dependencies"][extra] if extra else []
    own = f"{project['name']}["
    others = [each for text in named if text.startswith(own) for each in text.removeprefix(own).rstrip("]").split(",")]
    wanted = [text for text in named if not text.startswith(own)]
    return [*project["dependencies"], *wanted, *[text for each in others for text in needs(project, each)]]


def closure(requirements: Iterable[str]) -> set[str]:
    """The distributions that these requirements bring with them here, by normalised name."""
    found: set[tuple[str, str]] = set()
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({**default_environment(), "extra": extra}):
            continue
        name = normalised(requirement.name)
        for own in {"", *requirement.extras}:
            if (name, own) not in found:
                found.add((name, own))
                requires = importlib.metadata.distribution(name).requires or []
                waiting += [(Requirement(text), own) for text in requires]
    return {name for name, _ in found}


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _link(distribution: importlib.metadata.Distribution, packages: Path) -> None:
    for file in distribution.files or ():
        if ".." in file.parts:
            continue
        target = packages / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(Path(str(file.locate())).resolve())
