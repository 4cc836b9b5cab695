"""`sitewarden verify FILE`: an evidence package of the desk, checked as its own program checks it.

In: a file, and the fingerprint that the desk's key must have, when it is known. Out: the report, printed.
"""

from pathlib import Path

from regulator.parts.evidence.verifier import report_text, verify_package


def run_package_check(path: Path, key_id: str) -> int:
    """0 when everything holds; 1 when not, each fault named; 3 when no `key_id` says whose it is. Raises OSError."""
    with path.open("rb") as file:
        report = verify_package(file, key_id)
    print(report_text(report))
    return report.exit_status
