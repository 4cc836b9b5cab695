"""What `sitewarden check FILE` prints: every fault or warning on a line, then a count.

In: a `ConfigError` or `Settings`. Out: text. Decides nothing: exit codes belong to the command line.
"""

from gateway.model.errors import ConfigError
from gateway.settings.settings import Settings
from gateway.settings.wording import Language, fault_text

_MORE: dict[Language, str] = {
    "en": "; more may follow: what has a fault is not checked further",
    "zh": "；改正后可能还有其他错误：有错误的部分未继续检查",
}


def check_report(result: ConfigError | Settings, language: Language = "en") -> str:
    """The whole report, without a final newline."""
    if isinstance(result, ConfigError):
        lines = [fault_text(fault, language) for fault in result.faults]
        files = len({fault.file for fault in result.faults})
        more = _MORE[language] if result.more_may_follow else ""
        return "\n".join([*lines, _fault_count(len(lines), files, language) + more])
    mark = "warning" if language == "en" else "警告"
    lines = [f"{mark}: {fault_text(warning, language)}" for warning in result.warnings]
    return "\n".join([*lines, _summary(result, language)])


def _fault_count(faults: int, files: int, language: Language) -> str:
    if language == "zh":
        return f"{files} 个文件中共 {faults} 处错误"
    return f"{faults} fault{'s' * (faults != 1)} in {files} file{'s' * (files != 1)}"


def _summary(settings: Settings, language: Language) -> str:
    devices = sum(len(link.devices) for link in settings.links)
    points, rules, uplinks = len(settings.points), len(settings.rules), len(settings.uplinks)
    warnings = len(settings.warnings)
    if language == "zh":
        counts = f"{devices} 台设备，{points} 个测点，{rules} 条生效规则，{uplinks} 个上行"
        return f"{settings.file}：无错误，{warnings} 处警告；{counts}；摘要 {settings.digest[:16]}"
    counts = f"{devices} devices, {points} points, {rules} rule rows, {uplinks} uplinks"
    return f"{settings.file}: no faults, {warnings} warnings; {counts}; digest {settings.digest[:16]}"
