"""Plan of a capture process as plain data, sent over a socket, never by argv or environment.

The capture process imports this, so the standard library must do.
"""

import json
from dataclasses import asdict, dataclass, field, fields


@dataclass(frozen=True, slots=True)
class CapturePlan:
    """One camera's orders. `source` is as in the site file (no user information); times in seconds. `slot_path` is the
    frame slot to write into; empty: pictures are decoded and nobody takes them. `first_session` is the number of the
    first connection. `work_folder` is where clips are made; empty: the folder for temporary files."""

    camera: str
    source: str
    slot_path: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    transport: str = "tcp"
    tls_ca_file: str = ""
    read_timeout_s: float = 5.0
    reconnect_min_s: float = 1.0
    reconnect_max_s: float = 30.0
    fps_cap: float = 10.0
    ring_s: float = 30.0
    ring_max_bytes: int = 16_000_000
    loop: bool = False
    realtime: bool = True
    sub_source: str = ""
    first_session: int = 1
    work_folder: str = ""

    def to_json(self) -> bytes:
        """For the socket. Holds the password."""
        return json.dumps(asdict(self)).encode()

    @staticmethod
    def from_json(body: bytes) -> "CapturePlan":
        """Raises ValueError when it is not a plan; the text repeats nothing of it."""
        try:
            said = json.loads(body)
            return CapturePlan(**{entry.name: said[entry.name] for entry in fields(CapturePlan)})
        except (ValueError, TypeError, KeyError):
            raise ValueError("the first message is not a capture plan") from None
