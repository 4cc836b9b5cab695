"""Refusals of both faces: what was wrong, where, and what was expected, in both languages."""

from dataclasses import dataclass


@dataclass(eq=False)
class RefusedError(Exception):
    """Nothing was changed. `status` is the HTTP status that fits; `code` is for programs, `field` what it is about.

    Not frozen: a context manager that passes an exception on sets its traceback.
    """

    status: int
    code: str
    message_zh: str
    message_en: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.message_en}" + (f" ({self.field})" if self.field else "")
