"""The operator who answers: a person at a terminal, a file of answers, or nobody. Each question is asked once.

In: a key that names the question for ever (`crane-1.slew_right`), and its text. Out: the answer; None is "skip it".
Knows nothing of devices.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import yaml

SKIP = ("s", "skip", "跳过", "")
YES = ("y", "yes", "done", "ok", "是", "")


class InputEndedError(LookupError):
    """The terminal went away, or the answers are no answers; nothing has been written."""


class Source(Protocol):
    """Where an answer comes from. `question` has no final blank."""

    def answer(self, key: str, question: str) -> str:
        """The answer as typed; '' when nothing was said. Raises InputEndedError."""
        ...


class Terminal:
    """Standard input and output; a pipe will do."""

    def __init__(self, read: Callable[[str], str] = input) -> None:
        self._read = read

    def answer(self, key: str, question: str) -> str:
        """Ask and wait for a line."""
        try:
            return self._read(f"{question} [{key}]: ").strip()
        except EOFError:
            raise InputEndedError(f"input ended at the question {key}; nothing was written") from None


class Nobody:
    """Stands in with `--yes`: every question is skipped."""

    def answer(self, key: str, question: str) -> str:  # noqa: ARG002 - nobody reads them
        """The answer to any question: it is skipped."""
        return "skip"


class Operator:
    """Asks each key once: the answers that were given first, then `source`."""

    def __init__(self, source: Source, answers: Mapping[str, str] | None = None) -> None:
        self._source = source
        self._answers = dict(answers or {})

    def done(self, key: str, question: str) -> bool:
        """Whether the operator did what was asked; False when it is skipped."""
        while True:
            answer = self._once(key, question).lower()
            if answer in YES:
                return True
            if answer in SKIP:
                return False
            self._again(key, answer, "Enter or skip")

    def number(self, key: str, question: str) -> float | None:
        """A number above 0; None when skipped."""
        while True:
            answer = self._once(key, question)
            if answer.lower() in SKIP:
                return None
            number = _number(answer)
            if number is not None:
                return number
            self._again(key, answer, "a number above 0, or skip")

    def words(self, key: str, question: str) -> str:
        """Any text of one line, at most 100 characters; '' when skipped."""
        answer = self._once(key, question)
        return "" if answer.lower() in SKIP else "".join(c for c in answer if c.isprintable())[:100]

    def _once(self, key: str, question: str) -> str:
        if key not in self._answers:
            self._answers[key] = self._source.answer(key, question)
        return self._answers[key]

    def _again(self, key: str, answer: str, expected: str) -> None:
        """A wrong answer may be asked for again at a terminal; a file's or nobody's cannot change."""
        if not isinstance(self._source, Terminal):
            raise InputEndedError(f"answer {key}: found {answer!r}, expected {expected}")
        del self._answers[key]


def read_answers(path: Path) -> dict[str, str]:
    """A YAML file of answers, nested by asset or with dotted keys. Raises InputEndedError when it is not one."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputEndedError(f"{path}: not a YAML file of answers: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict):
        raise InputEndedError(f"{path}: found {type(data).__name__}, expected a mapping of answers")
    flat: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": _text(answer) for inner, answer in value.items()}
        else:
            flat[str(key)] = _text(value)
    return flat


def _text(value: object) -> str:
    """YAML's own yes and no are answers too."""
    if isinstance(value, bool):
        return "yes" if value else "skip"
    return "skip" if value is None else str(value).strip()


def _number(answer: str) -> float | None:
    try:
        number = float(answer)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
