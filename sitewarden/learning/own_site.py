"""The cameras of a site file as the commands of learning need them: their models' own thresholds, the data folder."""

from dataclasses import dataclass
from pathlib import Path

from gateway.model.detections import SeenClass
from gateway.settings import load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from vision.detector import SHIPPED_MODEL
from vision.detector.registry import ModelEntry, read_entry
from vision.eye.settings import CameraDeviceSettings


@dataclass(frozen=True, slots=True)
class OwnCamera:
    """A judged camera of the site. `entry` is the registry's entry of the model that looks."""

    name: str
    entry: ModelEntry

    @property
    def thresholds(self) -> dict[SeenClass, float]:
        """The model's own."""
        return dict(self.entry.thresholds)


@dataclass(frozen=True, slots=True)
class OwnSite:
    """The data folder and the cameras, by name."""

    folder: Path
    cameras: dict[str, OwnCamera]

    def camera(self, name: str) -> OwnCamera:
        """One of them. Raises LookupError that lists them."""
        if name not in self.cameras:
            raise LookupError(f"{name}: no such camera; this site has {', '.join(sorted(self.cameras)) or 'none'}")
        return self.cameras[name]


def own_site(file: str) -> OwnSite:
    """From a site file. Raises ConfigError, ModelError."""
    settings = load(file, DRIVERS, UPLINKS, KINDS)
    devices = [device for link in settings.links for device in link.devices]
    judged = [device for device in devices if isinstance(device.settings, CameraDeviceSettings)]
    named = {str(each.settings.id): each.settings.model or SHIPPED_MODEL for each in judged}
    cameras = {name: OwnCamera(name, read_entry(model)) for name, model in named.items()}
    return OwnSite(settings.storage.folder, cameras)
