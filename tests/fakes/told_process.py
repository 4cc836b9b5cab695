"""A process that tells what it is, for the tests of how processes are started: `python -m tests.fakes.told_process`."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from gateway.accounts.passwords import Passwords


def main() -> None:
    match sys.argv[1:]:
        case ["fail"]:
            raise ValueError("as asked")
        case ["exit"]:
            raise SystemExit(7)
        case ["kill"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case ["wait"]:
            print("waiting", flush=True)
            sys.stdin.read()
        case ["passwords"]:
            print(asyncio.run(Passwords().hashed("gantry-and-hook-7")).split("$")[3])
        case ["descriptors"]:
            with os.scandir("/proc/self/fd") as found:
                names = [entry.name for entry in found]
            print(*(name for name in names if Path(f"/proc/self/fd/{name}").exists()))
        case ["until-gone", pid]:
            while Path(f"/proc/{pid}").exists():
                time.sleep(0.01)
        case arguments:
            print(arguments, Path.cwd(), __name__, f"OF_THIS_TEST={os.environ.get('OF_THIS_TEST')}")
            print("read", repr(sys.stdin.readline().strip()))


if __name__ == "__main__":
    main()
