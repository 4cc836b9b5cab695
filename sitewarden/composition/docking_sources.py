"""Sources that docking needs from the box: blurred pictures, and the driver's name at the time of sending.

In: the desk of pictures and the identity file. Out: a picture or why there is none; a person, told to the audit first.
"""

import asyncio

from gateway.media.desk import MediaDesk
from gateway.media.kept import MediaClass, MediaError, MediaState
from gateway.parts.identity.file import IdentityError
from gateway.parts.identity.watch import IdentityWatch
from gateway.uplinks.docking_records import Driver, Photo

_NEVER = (MediaState.MISSING, MediaState.EXPIRED)


class DeskPhotos:
    """The frame that fired, with faces blurred, whatever case is open."""

    def __init__(self, desk: MediaDesk) -> None:
        self._desk = desk

    async def photo(self, alarm_id: str) -> Photo | None:
        """None while it is being kept. Raises LookupError when there is none and never will be."""
        items = await asyncio.to_thread(self._desk.of_alarm, alarm_id)
        frame = next((item for item in items if item.media_class is MediaClass.FRAME), None)
        if frame is None or frame.state is MediaState.BEGUN:
            return None
        if frame.state in _NEVER:
            raise LookupError(frame.reason or f"the picture of {alarm_id} is {frame.state}")
        try:
            shown = await self._desk.body(alarm_id, frame.sha256)
        except MediaError as error:
            raise LookupError(str(error)) from None
        return Photo(f"{frame.sha256[:16]}.jpg", shown.body)


class VaultDrivers:
    """Persons out of the identity file."""

    def __init__(self, identities: IdentityWatch) -> None:
        self._identities = identities

    def driver(self, person_id: str, purpose: str) -> Driver:
        """Who it is; nobody where the file does not say. On the event loop: the disclosure is put on record first."""
        try:
            person = self._identities.reveal(person_id, purpose)
        except (LookupError, IdentityError):
            return Driver()
        number = next((given.number for given in person.driver_numbers), "")
        return Driver(number, person.name, person.id_number)
