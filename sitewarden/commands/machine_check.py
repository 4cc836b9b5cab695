"""Warns of what this machine's kernel cannot do for a site with cameras: shut in the processes that decode them.

In: a site's settings. Out: the same with warnings; a start goes on. Asks the kernel and changes nothing.
"""

import platform
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from gateway.settings import Settings
from gateway.settings.wording import make_fault
from vision.process.confinement import Lack, kernel_lacks

CODES: Final = {Lack.FILES: "warn.no_landlock", Lack.PORTS: "warn.no_landlock_ports", Lack.CALLS: "warn.no_seccomp"}


def with_machine_warnings(settings: Settings, lacks: Iterable[Lack] | None = None) -> Settings:
    """The settings, with a warning for each thing that the kernel lacks where there is a camera."""
    if not any(link.settings.driver == "camera" for link in settings.links):
        return settings
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    found = kernel_lacks() if lacks is None else lacks
    warnings = (make_fault(settings.file, 1, "links", CODES[lack], system=system) for lack in found)
    return replace(settings, warnings=(*settings.warnings, *warnings))
