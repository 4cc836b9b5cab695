"""A package that a stranger made is read in a process of its own, which ends whatever is in the package.

In: an open file. Out: the verifier's report, of whose manifest only the time is left. The process may use `Limits`, no
more, runs after all others, and is gone when the caller is: cancelled, out of time or done.

    python -m regulator.parts.evidence.apart CPU_S MEMORY_BYTES < PACKAGE     one line of JSON, exit code 0
"""

import asyncio
import base64
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass
from typing import IO, Any, Final

from contract.faults import ContractFault
from contract.signing import ED25519, verify_key
from regulator.parts.evidence.signatures import HOLDS_BY_ALGORITHM
from regulator.parts.evidence.verifier import Checking, Fault, Report, check_package

MOST_FAULTS: Final = 200
MOST_TEXT: Final = 200
"""Characters of each text that comes from the package."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of a processor, bytes of address space, and seconds until the process is killed."""

    cpu_s: int = 20
    memory_bytes: int = 512 * 2**20
    wall_s: float = 60.0


class TooCostlyError(Exception):
    """The package could not be read within the limits."""


async def check_apart(file: IO[bytes], limits: Limits) -> Report:
    """Read it from its beginning. Raises TooCostlyError, and OSError when no process can be started."""
    file.flush()
    file.seek(0)
    words = (sys.executable, "-m", __name__, str(limits.cpu_s), str(limits.memory_bytes))
    process = await asyncio.create_subprocess_exec(*words, stdin=file.fileno(), stdout=PIPE, stderr=DEVNULL)
    try:
        async with asyncio.timeout(limits.wall_s):
            said, _ = await process.communicate()
    except TimeoutError:
        raise TooCostlyError from None
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    if process.returncode != 0:
        raise TooCostlyError
    return _report(json.loads(said))


def _report(said: dict[str, Any]) -> Report:
    faults = [Fault(*fault) for fault in said["faults"]]
    return Report(said["manifest"], said["desk_key_id"], faults, said["checked"], key_is_known=False)


def _limit_this(cpu_s: int, memory_bytes: int) -> None:
    """Before anything is read. Only where there are limits: not on Windows."""
    try:
        import resource  # noqa: PLC0415 - not everywhere
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    os.nice(10)


def _holds(public: bytes, signature: bytes, data: bytes) -> bool:
    """A hundred times faster than the verifier's own way, which needs nothing but Python."""
    try:
        key = verify_key(ED25519, base64.b64encode(public).decode())
        key.verify(base64.b64encode(signature).decode(), data)
    except ContractFault:
        return False
    return True


def main(arguments: list[str]) -> int:
    """See above. A MemoryError ends it with a trace that nobody reads."""
    _limit_this(*(int(each) for each in arguments))
    report = check_package(sys.stdin.buffer, Checking("", HOLDS_BY_ALGORITHM | {"Ed25519": _holds}, MOST_FAULTS))
    manifest = None if report.manifest is None else {"made_at_ns": _whole(report.manifest.get("made_at_ns"))}
    said = {
        "manifest": manifest,
        "desk_key_id": report.desk_key_id[:MOST_TEXT],
        "faults": [[text[:MOST_TEXT] for text in fault] for fault in report.faults],
        "checked": report.checked,
    }
    print(json.dumps(said))
    return 0


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and abs(value) < 2**63 else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
