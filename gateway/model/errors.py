"""The errors that cross a border. Each says what, where and what was expected."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong with a configuration file. `line` is 1-based, 0 when the file as a whole is meant.

    `code` and `params` name the wording, so that `gateway.settings.fault_text` can say it in another language.
    """

    file: str
    line: int
    key: str
    found: str
    expected: str
    code: str = ""
    params: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: found {self.found}, expected {self.expected}"


class ConfigError(Exception):
    """Refuse to start: carries every fault at once, in file and line order.

    `more_may_follow`: parts with faults were not checked further.
    """

    def __init__(self, faults: list[Fault], *, more_may_follow: bool = False) -> None:
        self.faults = sorted(faults)
        self.more_may_follow = more_may_follow
        super().__init__("\n".join(str(fault) for fault in self.faults))


class LinkError(Exception):
    """The other end did not answer, or the connection broke. The caller backs off; values become BAD meanwhile."""


class DecodeError(Exception):
    """Bytes that mean nothing. The raw words are kept and counted; the rest goes on."""


class StoreError(Exception):
    """A database could not keep what it was given; nobody has been told that it was kept."""
