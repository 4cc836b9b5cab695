"""The arguments of `sitewarden vision ...`. Arguments only: the work, and each command's arguments, are in `vision`.

In: the command line's sub-parsers. Out: one parser whose `command` imports the module that was asked for, and no
other: cv2 and onnxruntime are slow to import, and a box without cameras has neither.
"""

import argparse
from importlib import import_module

from contract.extras import require

COMMANDS = {
    "evaluate": ("vision.evaluation.evaluate", "measure a detector on labelled pictures"),
    "evaluate-edges": ("vision.edges.evaluate", "measure the edge check on a rendered benchmark"),
    "collect": ("sitewarden.learning.collect_command", "make a labelled set of this site's own judged pictures"),
    "adapt": ("sitewarden.learning.adapt_command", "set one camera's thresholds from what was judged of its alarms"),
    "watch": ("vision.watch.watch", "write what the eye sees in a clip or stream to a video file"),
}


def add_vision_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `vision`, which hands what follows the command's name to that command's own parser."""
    text = "cameras and detectors: " + ", ".join(COMMANDS)
    lines = "\n".join(f"  {name:16}{what}" for name, (_module, what) in COMMANDS.items())
    vision = commands.add_parser(
        "vision", help=text, epilog=f"commands:\n{lines}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    vision.add_argument("what", choices=list(COMMANDS), metavar="COMMAND", help="one of those below; each has --help")
    vision.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    vision.set_defaults(command=run_vision)


def run_vision(args: argparse.Namespace) -> int:
    """Run one command. Raises MissingExtraError when its packages are not installed."""
    require("box")
    module_name, text = COMMANDS[args.what]
    module = import_module(module_name)
    parser = argparse.ArgumentParser(prog=f"sitewarden vision {args.what}", description=text)
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(args.rest)))
