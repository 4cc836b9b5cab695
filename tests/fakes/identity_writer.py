"""A process that keeps changing an identity file and its key, and says after each change how many persons are in it.

python -m tests.fakes.identity_writer FOLDER
"""

import sys
from pathlib import Path

from gateway.parts.identity.identity import Identities
from gateway.parts.identity.person import DriverNumber, Person


def run(folder: Path) -> None:
    """Change until killed: a person, a new key, a person, ..."""
    identities = Identities(folder)
    count = len(identities.masked())
    while True:
        count += 1
        identities.add(Person("司机甲", driver_numbers=(DriverNumber(str(count)),)))
        print(count, flush=True)
        identities.rotate_key()


if __name__ == "__main__":
    run(Path(sys.argv[1]))
