"""Every command's name and what it is for, by who uses it: the help that is printed without importing anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Command:
    """What a command is for, in both languages."""

    zh: str
    en: str


GROUPS: Final[Mapping[tuple[str, str], Mapping[str, Command]]] = {
    ("工地工程师", "Site engineer"): {
        "init": Command("写一份新的工地文件", "write a first site file, asked for or from flags"),
        "check": Command("列出工地文件的全部错误", "list every fault of a site file; exit 2 when there are any"),
        "run": Command("按工地文件运行监控主机", "run the box on a site file"),
        "rules": Command("列出工地执行的每条规则", "print every rule in force on a site, with its source"),
        "commission": Command("设备逐一调试验收", "prove every device of a site before its alarms count"),
        "device": Command("不用工地文件测试一台设备", "work with one device, without a site file"),
        "simulate": Command("在本机模拟一台塔机和一个基坑", "play a crane and a pit over Modbus TCP on this machine"),
        "test-uplink": Command("发一条测试消息", "send a test message through an uplink to people; exit 1: not taken"),
        "replay": Command("用现行规则回放记录", "say which alarms a recorded series would have raised"),
        "vision": Command("摄像机与检测模型", "cameras and detectors: evaluate, collect, adapt, watch ..."),
    },
    ("监测单位、人员", "Surveyors and people"): {
        "pit": Command("导入人工监测、导出日报", "a surveyor's readings into the running box, daily reports out of it"),
        "identity": Command("司机身份资料", "who drives: one encrypted file of names, ID numbers and certificates"),
    },
    ("监管部门", "Regulator"): {
        "desk": Command("运行审查台", "run the regulator's review desk"),
        "verify": Command("核验证据链或证据包", "check a data folder's chain, or a desk's evidence package"),
        "export": Command("导出证据记录或图片", "print every evidence record of a data folder, or copy its pictures"),
        "demo": Command("在本机演示整个系统", "run twins, broker, box and a regulator on this machine"),
    },
    ("运维", "Operations"): {
        "doctor": Command("检查监控主机", "look a box over: files, disk, chain, clock, links; exit 1 on problems"),
        "health": Command("查询监控主机是否在运行", "ask a running box whether it is alive"),
        "accounts": Command("账户找回", "people who may log in to the box"),
        "tls": Command("为现场页启用 HTTPS", "HTTPS for the box's page by an authority of its own"),
        "backup": Command("备份", "copy a box into one verified archive, also while it runs"),
        "restore": Command("恢复", "verify an archive and make a data folder of it"),
        "bundle": Command("离线升级包", "offline updates: signed bundles of wheels"),
    },
    ("开发", "Developers"): {
        "schema": Command("工地文件的 JSON Schema", "print the JSON Schema of site files, for editors"),
        "completion": Command("命令行补全脚本", "print a completion script for bash, zsh or fish"),
    },
}
COMMANDS: Final[Mapping[str, Command]] = {
    name: command for commands in GROUPS.values() for name, command in commands.items()
}


def grouped_help() -> str:
    """The text that `sitewarden --help` prints, commands by group."""
    lines = ["usage: sitewarden [-h] [--version] COMMAND ...", "", "Construction-site safety gateway 工地安全监控"]
    for (zh, en), commands in GROUPS.items():
        lines += ["", f"{en} {zh}"]
        lines += [f"  {name:<12} {command.en}" for name, command in commands.items()]
    return "\n".join([*lines, "", "sitewarden COMMAND --help says more."])
