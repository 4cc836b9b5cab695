"""Reads a Dockerfile and replays its build without an engine: RUN, COPY and WORKDIR inside a folder, as a plain user.

Absolute paths of the image become paths under the replay's root. What needs root (creating users) is not replayed.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

NOBODY = 65534
IMAGE_PATH = re.compile(r"(?<![\w.$/-])/(?=(?:opt|src|install|wheels|var|etc)\b)")


@dataclass(frozen=True)
class Instruction:
    name: str
    argument: str


@dataclass
class Stage:
    image: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)
    arguments_declared: dict[str, str] = field(default_factory=dict)

    def arguments(self, name: str) -> list[str]:
        return [step.argument for step in self.instructions if step.name == name]


def read_dockerfile(path: Path, **build_args: str) -> list[Stage]:
    """The stages in order. An ARG before the first FROM, or what was given for it, is put in where it is used."""
    text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    defaults: dict[str, str] = {}
    stages: list[Stage] = []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        name, _, argument = line.strip().partition(" ")
        if name == "ARG" and not stages:
            key, _, value = argument.partition("=")
            defaults[key] = build_args.get(key, value)
        elif name == "FROM":
            words = argument.split()
            stages.append(Stage(_put_in(words[0], defaults), words[2] if len(words) > 2 else ""))
        elif name == "ARG":
            declared = stages[-1].arguments_declared
            declared[argument] = defaults[argument]
        else:
            text = _put_in(" ".join(argument.split()), stages[-1].arguments_declared)
            stages[-1].instructions.append(Instruction(name, text))
    return stages


def _put_in(text: str, values: Mapping[str, str]) -> str:
    """`${NAME}` of what is declared; anything else is the shell's."""
    return re.sub(r"\$\{(\w+)\}", lambda match: values.get(match.group(1), match.group(0)), text)


class Replay:
    """A folder that plays the image's file system, and the unprivileged user who builds in it."""

    def __init__(self, context: Path) -> None:
        self._context = context
        self.root = Path(tempfile.mkdtemp(prefix="replay-"))
        self._is_root = os.geteuid() == 0
        (self.root / "home").mkdir()
        (self.root / "bin").mkdir()
        self._give_away(self.root)
        (self.root / "bin" / "python").symlink_to(self._interpreter())
        self._folder = self.root

    def close(self) -> None:
        shutil.rmtree(self.root)

    def inside(self, image_path: str) -> Path:
        return self.root / image_path.lstrip("/")

    def play(self, stage: Stage, names: frozenset[str] = frozenset({"WORKDIR", "COPY", "RUN"})) -> None:
        for step in stage.instructions:
            if step.name == "WORKDIR" and step.name in names:
                self._folder = self.inside(step.argument)
                self._folder.mkdir(parents=True, exist_ok=True)
                self._give_away(self._folder)
            elif step.name == "COPY" and step.name in names and not step.argument.startswith("--from="):
                *sources, target = shlex.split(step.argument)
                self._copy(sources, target)
            elif step.name == "RUN" and step.name in names:
                done = self.run("sh", "-euc", IMAGE_PATH.sub(f"{self.root}/", step.argument))
                if done.returncode:
                    raise AssertionError(f"RUN {step.argument}\n{done.stdout}{done.stderr}")

    def run(self, *command: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in the current WORKDIR as the unprivileged user."""
        return subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment() | dict(more or {}),
            capture_output=True,
            text=True,
            check=False,
            **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if self._is_root else {}),
        )

    def _environment(self) -> dict[str, str]:
        """The caller's way to its package index, and nothing else of the caller's."""
        kept = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_")) or k.lower().endswith("_proxy")}
        home = str(self.root / "home") if self._is_root else os.environ.get("HOME", str(self.root / "home"))
        return kept | {"HOME": home, "PATH": f"{self.root}/bin:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}

    def _interpreter(self) -> str:
        """An interpreter with venv that the unprivileged user may run; the image has one called `python`."""
        usable = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
        self._folder = self.root
        for candidate in (os.path.realpath(sys.executable), "/usr/local/bin/python3", "/usr/bin/python3"):
            try:
                if self.run(candidate, "-c", usable).returncode == 0:
                    return candidate
            except OSError:
                continue
        raise AssertionError("no Python 3.11 with venv that an unprivileged user can run: apt-get install python3-venv")

    def _copy(self, sources: list[str], target: str) -> None:
        place = (self._folder / target) if not target.startswith("/") else self.inside(target)
        for source in sources:
            origin = self._context / source
            if origin.is_dir():
                shutil.copytree(
                    origin, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.db*")
                )
            else:
                shutil.copy(origin, place / origin.name if target.endswith("/") else place)
        self._give_away(self._folder)

    def _give_away(self, folder: Path) -> None:
        if not self._is_root:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
