"""What one capture process may still do once it is shut in: its plan says it. Standard library only."""

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from vision.camera.address import SourceKind, device_path, file_path, source_kind
from vision.camera.plan import CapturePlan
from vision.process.confinement import Needs

_PORTS = {"rtsp": 554, "rtsps": 322}
_MEMORY_BYTES = 3 << 30
_CLIP_BYTES = 700_000_000
_OPEN_FILES = 128


def capture_needs(plan: CapturePlan) -> Needs:
    """Source and sub-stream by their ports, or files or a device; its own frame slot, its own folder for clips."""
    streams = [source for source in (plan.source, plan.sub_source) if _is_stream(source)]
    return Needs(
        read=(*_files(plan.source), *([plan.tls_ca_file] if plan.tls_ca_file else [])),
        change=(plan.slot_path,) if plan.slot_path else (),
        work=(plan.work_folder,) if plan.work_folder else (),
        devices=(device_path(plan.source),) if source_kind(plan.source) is SourceKind.DEVICE else (),
        ports=tuple(sorted({_port(source) for source in streams})),
        names=any(_is_named(source) for source in streams),
        memory_bytes=_MEMORY_BYTES + 4 * plan.ring_max_bytes + _size_of(plan.slot_path),
        file_bytes=_CLIP_BYTES,
        open_files=_OPEN_FILES,
    )


def _is_stream(source: str) -> bool:
    return bool(source) and source_kind(source) is SourceKind.STREAM


def _port(source: str) -> int:
    parts = urlsplit(source)
    return parts.port or _PORTS[parts.scheme.lower()]


def _is_named(source: str) -> bool:
    """Whether name servers must be asked for the host."""
    try:
        ipaddress.ip_address((urlsplit(source).hostname or "").partition("%")[0])
    except ValueError:
        return True
    return False


def _files(source: str) -> tuple[str, ...]:
    """The folder of pictures; for a video file the folder that it lies in, since a file may be replaced. Where there is
    none yet, the nearest above it that is there."""
    kind = source_kind(source)
    if kind not in (SourceKind.FILE, SourceKind.FOLDER):
        return ()
    path = Path(file_path(source)).absolute()
    folder = path if path.is_dir() else path.parent
    while not folder.is_dir():
        folder = folder.parent
    return () if folder == folder.parent else (str(folder),)


def _size_of(path: str) -> int:
    try:
        return Path(path).stat().st_size if path else 0
    except OSError:
        return 0
