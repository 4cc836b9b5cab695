"""A gateway with rendered cameras: `python -m tests.fakes.camera_gateway SITE`. Everything else is as it ships. It is
night for pictures to draw on while a file `by_night` lies beside the site file, and the floor has moved up while one
`floor_up` does; `preset` says at which preset they look."""

import sys
import time
from pathlib import Path

from gateway.logs import start_logging
from gateway.ports import Eyes
from gateway.settings import load
from sitewarden.composition.box import DRIVERS, UPLINKS, Gateway, run_until_signal
from sitewarden.composition.kinds import KINDS
from tests.fakes.eyes import StillEyes, three_cameras

EYES = StillEyes(three_cameras(time.time_ns()))


class CameraGateway(Gateway):
    """Its cameras are rendered."""

    def eyes(self) -> Eyes | None:
        beside = Path(sys.argv[1]).parent
        EYES.by_night, EYES.floor_up = (beside / "by_night").exists(), (beside / "floor_up").exists()
        preset = beside / "preset"
        EYES.turned_to = preset.read_text() if preset.exists() else None
        return EYES


def main() -> None:
    start_logging("INFO", None)
    run_until_signal(CameraGateway(load(Path(sys.argv[1]), DRIVERS, UPLINKS, KINDS)))


if __name__ == "__main__":
    main()
