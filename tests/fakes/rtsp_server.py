"""A real RTSP server (gst-rtsp-server) on a free loopback port, with faults on demand.

    with RtspServer(film("h264")) as camera:
        open(camera.url)        # rtsp://127.0.0.1:PORT/site
        camera.freeze()         # the whole server stands still, its connections stay open

It is a process of the system's Python, which has GStreamer's bindings (`rtsp_server_process`). The films are made once
a session by ffmpeg from its test pattern, with an access unit delimiter before every picture.
"""

import contextlib
import functools
import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fakes.certificates import KeyPair
from tests.fakes.mosquitto import free_port, program

_PYTHON = "/usr/bin/python3"
_ENCODERS = {
    "h264": ("libx264", "h264_metadata=aud=insert", ["-preset", "ultrafast", "-tune", "zerolatency"], "h264"),
    "h265": ("libx265", "hevc_metadata=aud=insert", ["-preset", "ultrafast", "-x265-params", "log-level=0"], "hevc"),
}


@dataclass(frozen=True)
class Film:
    """An Annex B file that can be sent over and over."""

    path: Path
    codec: str
    fps: int


@functools.cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="rtsp-films-")


@functools.cache
def film(codec: str = "h264", width: int = 640, height: int = 360, fps: int = 15) -> Film:
    """A second and a third of ffmpeg's test pattern, a key frame each 2/3 s."""
    encoder, filtered, options, form = _ENCODERS[codec]
    path = Path(_folder().name) / f"{codec}-{width}x{height}-{fps}.{form}"
    subprocess.run(
        [
            *(program("ffmpeg", "ffmpeg"), "-y", "-loglevel", "error", "-f", "lavfi"),
            *("-i", f"testsrc2=size={width}x{height}:rate={fps}", "-frames:v", str(fps * 4 // 3), "-c:v", encoder),
            *(*options, "-g", str(fps * 2 // 3), "-bf", "0", "-threads", "1", "-pix_fmt", "yuv420p"),
            *("-bsf:v", filtered, "-f", form, str(path)),
        ],
        check=True,
        capture_output=True,
    )
    return Film(path, codec, fps)


class RtspServer:
    """One camera. `auth` is "", "basic" or "digest"; with `tls` it speaks rtsps."""

    def __init__(
        self,
        shown: Film,
        *,
        auth: str = "",
        user: str = "viewer",
        password: str = "s3cret",
        tls: KeyPair | None = None,
    ) -> None:
        self._scheme = "rtsps" if tls else "rtsp"
        self.port = free_port()
        self._options = {
            "port": self.port,
            "codec": shown.codec,
            "fps": shown.fps,
            "file": str(shown.path),
            "auth": auth,
            "user": user,
            "password": password,
            "tls": [str(tls.cert_file), str(tls.key_file)] if tls else [],
        }
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/site"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Raises RuntimeError with what it said when it does not listen."""
        script = Path(__file__).with_name("rtsp_server_process.py")
        self._process = subprocess.Popen(
            [_PYTHON, str(script), json.dumps(self._options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != str(self.port):
            said = self._process.communicate()[1]
            raise RuntimeError(
                f"the RTSP server did not start; it needs python3-gi, gir1.2-gst-rtsp-server-1.0 and "
                f"gstreamer1.0-plugins-base/good/bad:\n{said}"
            )

    def kill(self) -> None:
        """SIGKILL: connections are reset."""
        if self._process is None:
            return
        self.thaw()
        self._process.kill()
        self._process.communicate()
        self._process = None

    def freeze(self) -> None:
        """Nothing more is sent or answered; connections stay open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def mute(self) -> None:
        """No more pictures; the server goes on to answer and to report."""
        self._order({"do": "mute"})

    def noise(self) -> None:
        """Random bytes where slices should be."""
        self._order({"do": "noise"})

    def play(self, other: Film) -> None:
        """Another film of the same codec, in the same connections."""
        self._order({"do": "play", "file": str(other.path)})

    def _order(self, order: dict[str, str]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            assert self._process is not None
            os.kill(self._process.pid, number)
