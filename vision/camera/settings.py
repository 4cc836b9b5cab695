"""What a site file may say about a camera's link. A pure schema: nothing here opens a file or a socket."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from drivers.schema import LinkSettings
from kit.secret import Secret
from vision.camera.address import SourceKind, checked_source, credentials_fit, source_kind
from vision.camera.plan import CapturePlan

Source = Annotated[str, AfterValidator(checked_source)]


class CameraLinkSettings(LinkSettings):
    """One camera.

    `source`: `rtsp://host/path` (H.264 or H.265, over TCP), a video file, a folder of pictures, `v4l2:/dev/video0`.
    User name and password stand beside it, never in it; {username} and {password} in the address are filled in.
    `read_timeout_s`: a stream that sends nothing for so long is given up and opened anew. `reconnect_min_s` to
    `reconnect_max_s`: how long it is left alone after a failure (doubling, with jitter). `fps_cap`: so many pictures
    a second are offered to the eye; all are decoded. `ring_s` seconds of packets are kept for clips, at most
    `ring_max_mb`. `sub_source`: the same camera's H.264 stream, for clips and live pages; needed where `source` is
    H.265. A bigger picture than `max_width_px` x `max_height_px` is scaled down.
    `loop` and `realtime` are for files: begin again at the end; play as fast as the file says, not as fast as one can.
    """

    driver: Literal["camera"] = "camera"
    source: Source
    sub_source: Source | None = None
    username: Annotated[str, Field(max_length=64)] = ""
    password: Secret | None = None
    transport: Literal["tcp"] = "tcp"
    tls_ca_file: Path | None = None
    read_timeout_s: Annotated[float, Field(ge=0.2, le=60)] = 5.0
    reconnect_min_s: Annotated[float, Field(gt=0, le=3600)] = 1.0
    reconnect_max_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    fps_cap: Annotated[float, Field(gt=0, le=60)] = 10.0
    ring_s: Annotated[float, Field(ge=0, le=300)] = 30.0
    ring_max_mb: Annotated[float, Field(gt=0, le=512)] = 16.0
    max_width_px: Annotated[int, Field(ge=64, le=7680)] = 1920
    max_height_px: Annotated[int, Field(ge=64, le=4320)] = 1080
    loop: bool = False
    realtime: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.password is not None and not self.username:
            raise ValueError("a password needs a username")
        if self.reconnect_max_s < self.reconnect_min_s:
            raise ValueError("reconnect_max_s must not be below reconnect_min_s")
        kind = source_kind(self.source)
        if kind is not SourceKind.STREAM and (self.username or self.sub_source or self.tls_ca_file):
            raise ValueError("username, password, sub_source and tls_ca_file are for rtsp sources only")
        if kind not in (SourceKind.FILE, SourceKind.FOLDER) and (self.loop or not self.realtime):
            raise ValueError("loop and realtime are for files and folders only")
        if self.sub_source is not None and source_kind(self.sub_source) is not SourceKind.STREAM:
            raise ValueError("sub_source is another rtsp:// address of the same camera")
        if self.password is None and any("{password}" in text for text in (self.source, self.sub_source or "")):
            raise ValueError("the address contains {password}, but no password is set")
        return self

    def plan(
        self, slot_path: Path | None = None, first_session: int = 1, work_folder: Path | None = None
    ) -> CapturePlan:
        """The capture process's orders, the password among them. Raises LookupError that names the place where the
        password is missing, or says that it is too long for libav; never the password."""
        password = self.password.reveal() if self.password is not None else ""
        if not credentials_fit(self.username, password):
            raise LookupError("user name and password have more than 127 bytes together, percent-encoded")
        return CapturePlan(
            camera=self.id,
            source=self.source,
            slot_path=str(slot_path or ""),
            username=self.username,
            password=password,
            transport=self.transport,
            tls_ca_file=str(self.tls_ca_file or ""),
            read_timeout_s=self.read_timeout_s,
            reconnect_min_s=self.reconnect_min_s,
            reconnect_max_s=self.reconnect_max_s,
            fps_cap=self.fps_cap,
            ring_s=self.ring_s,
            ring_max_bytes=int(self.ring_max_mb * 1e6),
            loop=self.loop,
            realtime=self.realtime,
            sub_source=self.sub_source or "",
            first_session=first_session,
            work_folder=str(work_folder or ""),
        )
