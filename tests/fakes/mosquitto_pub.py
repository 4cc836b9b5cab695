"""Mosquitto's own publisher: another project's client, for messages that ours would not send."""

import asyncio
from pathlib import Path

from tests.fakes.mosquitto import Mosquitto, program


async def publish_file(broker: Mosquitto, topic: str, path: Path, *more: str) -> None:
    """Publish the bytes of a file at QoS 1; returns when the broker has them. Raises RuntimeError with its words.

    `more`: further arguments of mosquitto_pub.
    """
    tool = program("mosquitto_pub", "mosquitto-clients")
    about = ["-h", broker.host, "-p", str(broker.port), "-q", "1", "-t", topic, "-f", str(path), *more]
    process = await asyncio.create_subprocess_exec(tool, *about, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"mosquitto_pub ended {process.returncode}: {said.decode(errors='replace')}")


def sparse_file(path: Path, size_bytes: int) -> Path:
    """A file of zeros that takes no disk."""
    with path.open("wb") as file:
        file.truncate(size_bytes)
    return path
