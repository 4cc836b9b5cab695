"""What a child process sends and what is no message of it. A child reads what a camera sends, so it may be taken over.

In: bytes of a capture or eye process. Out: `GarbageError`, whose text is short and repeats nothing that came but names.
Knows no process: the capture handle and the hub of the eye count it, say it, and start the child again.
"""

from pydantic import ValidationError

_TEXT_CHARS = 200


class GarbageError(ValueError):
    """A child process said what no message of it is."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text, _TEXT_CHARS))


def printable(text: str, most_chars: int) -> str:
    """The text on one line, cut off, without characters that a terminal or a log takes for something else."""
    return "".join(char if char.isprintable() else " " for char in text[:most_chars]).strip()


def garbage_of(what: str, error: ValidationError) -> GarbageError:
    """The first fault of a message, by its key."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part)[:40] for part in first["loc"])
    return GarbageError(f"{what}: {where}: {first['msg']}")


class Allowance:
    """How many messages a child may send: `burst` at once, `per_s` in the long run."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst = self._left = burst
        self._per_ns = per_s / 1e9
        self._at_ns: int | None = None

    def take(self, now_mono_ns: int) -> None:
        """One more. Raises GarbageError when there are too many."""
        passed_ns = 0 if self._at_ns is None else max(0, now_mono_ns - self._at_ns)
        self._at_ns = now_mono_ns
        self._left = min(self._burst, self._left + passed_ns * self._per_ns) - 1
        if self._left < 0:
            raise GarbageError("more messages than it has to say")
