"""The arguments of `sitewarden init` and `sitewarden simulate`. Light: nothing of a box is imported here."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sitewarden.commands.site_init import (
    CRANE_PORT,
    PIT_PORT,
    WEB_PORT,
    DraftError,
    SiteDraft,
    simulated_draft,
    write_site,
)

Schema = Callable[[], dict[str, Any]]


def add_init_arguments(init: argparse.ArgumentParser, schema: Schema) -> None:
    """What may be said of a site. Without any of it, and on a terminal, everything is asked for."""
    init.add_argument("file", type=Path, help="site file to write; nothing is overwritten")
    init.add_argument("--project-code", help="the project's code at the regulator")
    init.add_argument("--title-zh", help="the site's Chinese name")
    init.add_argument("--title-en", help="the site's English name")
    init.add_argument("--crane", action="append", default=[], metavar="HOST[:PORT]", help="a crane's safety host")
    init.add_argument("--pit", action="append", default=[], metavar="HOST[:PORT]", help="a pit's logger")
    init.add_argument("--camera", action="append", default=[], metavar="URL", help="a camera's stream; kept in a file")
    init.add_argument("--regulator", default="", metavar="URL", help="the regulator's platform")
    init.add_argument("--enrol-code", default="", help="the one-time code; kept in a file")
    init.add_argument("--web-port", type=int, default=WEB_PORT, help="of the site's page")
    init.add_argument("--language", default="zh", choices=["zh", "en"], help="of the comments")
    init.add_argument("--simulated", action="store_true", help="a crane and a pit that `sitewarden simulate` plays")
    init.set_defaults(command=lambda args: _init(args, schema))


def add_simulate_arguments(simulate: argparse.ArgumentParser) -> None:
    """Add the arguments that say where the simulated devices listen."""
    simulate.add_argument("--folder", type=Path, default=Path("data/simulated"), help="where its log lies")
    simulate.add_argument("--seconds", type=float, default=0.0, help="end by itself after so long (0: until Ctrl-C)")
    simulate.set_defaults(command=_simulate)


def _init(args: argparse.Namespace, schema: Schema) -> int:
    try:
        draft = _draft(args)
        written = write_site(args.file, draft, schema())
    except DraftError as error:
        print(f"sitewarden init: {error}", file=sys.stderr)
        return 2
    for path in written:
        print(path)
    print(f"sitewarden check {args.file}")
    return 0


def _draft(args: argparse.Namespace) -> SiteDraft:
    told = (args.project_code, args.title_zh, args.title_en, *args.crane, *args.pit, *args.camera)
    if not any(told) and not args.simulated and sys.stdin.isatty():
        return _asked(args)
    draft = SiteDraft(
        project_code=args.project_code or "SITE-0001",
        title_zh=args.title_zh or "示例工地",
        title_en=args.title_en or "Example site",
        cranes=tuple(args.crane),
        pits=tuple(args.pit),
        cameras=tuple(args.camera),
        regulator=args.regulator,
        enrol_code=args.enrol_code,
        web_port=args.web_port,
        language=args.language,
    )
    return simulated_draft(draft) if args.simulated else draft


def _asked(args: argparse.Namespace) -> SiteDraft:
    """Ask on the terminal; an empty answer takes what stands in brackets."""
    return SiteDraft(
        project_code=_ask("项目编码 project code", "SITE-0001"),
        title_zh=_ask("工地名称（中文） Chinese name of the site", "示例工地"),
        title_en=_ask("工地名称（英文） English name of the site", "Example site"),
        cranes=_several("塔机安全监控系统地址，空格分开 crane hosts, HOST[:PORT], separated by spaces"),
        pits=_several("基坑采集仪地址 pit loggers, HOST[:PORT]"),
        cameras=_several("摄像机码流地址 cameras, rtsp://..."),
        regulator=_ask("监管平台地址，没有则留空 the regulator's address, empty for none", ""),
        enrol_code=args.enrol_code,
        web_port=args.web_port,
        language=args.language,
    )


def _ask(question: str, usual: str) -> str:
    return input(f"{question} [{usual}]: ").strip() or usual


def _several(question: str) -> tuple[str, ...]:
    return tuple(input(f"{question}: ").split())


def _simulate(args: argparse.Namespace) -> int:
    from drivers.sim.__main__ import main  # noqa: PLC0415 - only here are devices simulated

    args.folder.mkdir(parents=True, exist_ok=True)
    ports = ["--crane-ports", str(CRANE_PORT), "--pit-port", str(PIT_PORT), "--no-mast"]
    print(
        f"模拟设备 simulated devices: crane 127.0.0.1:{CRANE_PORT}, pit 127.0.0.1:{PIT_PORT}; Ctrl-C", file=sys.stderr
    )
    return main(["--folder", str(args.folder), "--seconds", str(args.seconds), *ports])
