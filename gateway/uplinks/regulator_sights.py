"""What the regulator uplink may show of the cameras: `app` brings it, so that nothing here decodes a picture."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from contract.mailbox import LiveViewRequest
from gateway.media.rendition import SmallPicture
from gateway.model.picture import Picture
from gateway.ports import Eyes


@dataclass(frozen=True, slots=True)
class Sights:
    """`eyes`: the cameras as they are now, None where none is configured. `small`: a still, faces blurred already, as
    a JPEG of 160 x 90; may run in any thread, raises ValueError. `seen`: put on the site's record that somebody far
    away is about to watch; returns when it is sealed, raises OSError when it cannot be."""

    eyes: Callable[[], Eyes | None]
    small: Callable[[Picture], SmallPicture]
    seen: Callable[[LiveViewRequest], Awaitable[None]]
