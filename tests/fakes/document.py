"""Runs a document: its YAML blocks become files, its commands are executed, their output replaces what it shows."""

import re
import subprocess
import sys
from pathlib import Path

from tests.fakes.gateway_process import ROOT

BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SITEWARDEN = "sitewarden "


def files_of(text: str) -> dict[str, str]:
    """Path -> content of every YAML block that begins with its path as a comment."""
    found = {}
    for block in BLOCK.finditer(text):
        name = re.match(r"# (\S+\.yaml)\n", block[2])
        if block[1] == "yaml" and name:
            found[name[1]] = block[2][name.end() :]
    return found


def executed(text: str, folder: Path, swap: dict[str, str]) -> str:
    """The document with the real output of its commands. `swap` maps what the page says to what is there in truth."""
    for name, content in files_of(text).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(swapped(content, swap), encoding="utf-8")

    def run(block: re.Match[str]) -> str:
        if block[1] != "console":
            return block[0]
        shown = "".join(f"$ {command}\n{output_of(command, folder, swap)}" for command in commands_of(block))
        return f"```console\n{shown}```"

    return BLOCK.sub(run, text)


def commands_of(block: re.Match[str]) -> list[str]:
    """The commands of a console block, in order."""
    return [line[2:] for line in block[2].splitlines() if block[1] == "console" and line.startswith("$ ")]


def output_of(command: str, folder: Path, swap: dict[str, str]) -> str:
    """What a command of the page prints, in the page's own words."""
    real = swapped(command, swap)
    if real.startswith(SITEWARDEN):
        real = f"{sys.executable} -m sitewarden {real.removeprefix(SITEWARDEN)}"
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    done = subprocess.run(
        real, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    back = {there: here for here, there in swap.items()}
    return swapped(done.stdout + done.stderr, back)


def swapped(text: str, swap: dict[str, str]) -> str:
    """The text with what is there in truth."""
    for here, there in swap.items():
        text = text.replace(here, there)
    return text
