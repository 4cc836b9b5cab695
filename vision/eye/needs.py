"""What the eye process may still do once it is shut in: both processes ask here.

python -m vision.eye [--hardware] FOLDER ...      folders that it reads: pictures of cameras, models of one's own
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from vision.eye.settings import CameraDeviceSettings
from vision.process.confinement import Needs

_HARDWARE = "--hardware"


def arguments_for(cameras: Iterable[tuple[str, CameraDeviceSettings]]) -> tuple[str, ...]:
    """Arguments of an eye for these frame slots and settings."""
    known = list(cameras)
    slots = {str(Path(slot).parent) for slot, _ in known if slot}
    given = [path for _, settings in known for path in (settings.model, settings.clothes_model)]
    models = {str(path.absolute().parent) for path in given if path is not None}
    hardware = [_HARDWARE] if any(settings.provider != "cpu" for _, settings in known) else []
    return *hardware, *sorted(slots | models)


def eye_needs(arguments: Sequence[str]) -> Needs:
    """What an eye with these arguments needs: it reads, and writes nothing but what it says."""
    return Needs(read=tuple(each for each in arguments if each != _HARDWARE), hardware=_HARDWARE in arguments)
