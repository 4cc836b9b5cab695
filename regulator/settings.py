"""What the receiving regulator needs to know to start. In: command line arguments. Out: frozen settings."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """`port` 0 takes a free one. The signing key and the blobs lie beside the database."""

    database: Path
    port: int
    enrol_code_file: Path
    host: str = "127.0.0.1"
    max_blob_bytes: int = 256 * 1024 * 1024

    @property
    def key_file(self) -> Path:
        """The private signing key, mode 0600."""
        return self.database.with_suffix(".key.pem")

    @property
    def blob_folder(self) -> Path:
        """Files by their digest."""
        return self.database.with_suffix(".blobs")
