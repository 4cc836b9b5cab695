"""A gateway with rendered cameras: `python -m tests.fakes.camera_gateway SITE`. Everything else is as it ships. It is
night for pictures to draw on while a file `by_night` lies beside the site file."""

import sys
import time
from pathlib import Path

from gateway.app import DRIVERS, UPLINKS, Gateway, run_until_signal
from gateway.logs import start_logging
from gateway.ports import Eyes
from gateway.settings import load
from tests.fakes.eyes import StillEyes, three_cameras

EYES = StillEyes(three_cameras(time.time_ns()))


class CameraGateway(Gateway):
    """Its cameras are rendered."""

    def eyes(self) -> Eyes | None:
        EYES.by_night = Path(sys.argv[1]).with_name("by_night").exists()
        return EYES


def main() -> None:
    start_logging("INFO", None)
    run_until_signal(CameraGateway(load(Path(sys.argv[1]), DRIVERS, UPLINKS)))


if __name__ == "__main__":
    main()
