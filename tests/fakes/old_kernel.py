"""Runs a program on a kernel without Landlock, or without Landlock and filters of system calls.

old_kernel.py landlock|both PROGRAM ARGUMENT ...

The kernel itself refuses the calls, as an old one does ("no such call"): by a filter that programs inherit.
"""

import os
import platform
import sys

from vision.process.seccomp import install

LANDLOCK, SECCOMP = (444, 445, 446), {"x86_64": 317, "aarch64": 277}
NO_SUCH_CALL, ALLOW = 0x00050000 | 38, 0x7FFF0000


def main() -> None:
    missing = (*LANDLOCK, *([SECCOMP[platform.machine()]] if sys.argv[1] == "both" else []))
    rules = [each for number in missing for each in ((0x15, 0, 1, number), (0x06, 0, 0, NO_SUCH_CALL))]
    install([(0x20, 0, 0, 0), *rules, (0x06, 0, 0, ALLOW)])
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
