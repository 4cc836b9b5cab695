"""Checking a package against every key that this desk has signed with, not the present one alone.

In: the verifier's report of a package, and the desk's keys with their times. Out: the report, with a fault more where
the key is none of ours, or had been retired before the package says that it was made.
"""

from collections.abc import Mapping

from regulator.base.records.key_history import KnownKey
from regulator.parts.evidence.verifier import SIGNATURE, Fault, Report

GRACE_NS = 24 * 3_600_000_000_000
"""A replica that is not started again goes on with the key it has read: a day at most (docs/operation.md)."""


def with_known(report: Report, keys: Mapping[str, KnownKey]) -> Report:
    """Never raises for what is in the package."""
    if report.manifest is None:
        return report
    known = keys.get(report.desk_key_id)
    if known is None:
        ours = ", ".join(keys)
        zh = f"由其他密钥 {report.desk_key_id} 签名，应为 {ours}"
        return _with(report, zh, f"signed with another key, {report.desk_key_id}, expected {ours}")
    made_at_ns = report.manifest.get("made_at_ns")
    in_time = isinstance(made_at_ns, int) and (not known.retired_at_ns or made_at_ns <= known.retired_at_ns + GRACE_NS)
    if not in_time:
        return _with(report, "签名密钥在制作之前已停用", "the key had been retired before the package was made")
    return report._replace(key_is_known=True)


def _with(report: Report, zh: str, en: str) -> Report:
    return report._replace(faults=[Fault(SIGNATURE, zh, en), *report.faults])
