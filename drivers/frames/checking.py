"""What the schemas of a link and of its devices cannot see alone. Looked at when a site file is checked. Pure.

In: a bound link. Out: remarks in both languages.
"""

from collections.abc import Sequence

from drivers.frames.settings import FramesLink
from gateway.ports import BoundLink, LinkRemark


def remarks(link: BoundLink) -> Sequence[LinkRemark]:
    """A port that is open to everybody (a warning); two devices with one identity, or with two grammars (faults)."""
    settings: FramesLink = link.settings
    found = [_open_to_all(settings)] if settings.open_to_all else []
    first: dict[str, str] = {}
    for device in link.devices:
        device_id, identity = str(device.settings.id), str(device.settings.identity)
        if identity in first:
            found.append(_same_identity(device_id, identity, first[identity]))
        first.setdefault(identity, device_id)
        if device.table.grammar != link.devices[0].table.grammar:
            found.append(_other_grammar(device_id, device.table.model, link.devices[0].table.model))
    return found


def _open_to_all(settings: FramesLink) -> LinkRemark:
    return LinkRemark(
        path=("host",),
        found_en=f"{settings.host} without allow: whoever reaches this port may say that it is a device",
        expected_en="the address of the network that the devices are in, or allow with their addresses",
        found_zh=f"{settings.host} 且未设 allow：能连到此端口者均可冒充设备",
        expected_zh="设备所在网络的地址，或用 allow 列出设备地址",
        warning=True,
    )


def _same_identity(device_id: str, identity: str, other: str) -> LinkRemark:
    return LinkRemark(
        device=device_id,
        path=("identity",),
        found_en=f"{identity!r}, which device {other} on this link has too",
        expected_en="an identity of its own",
        found_zh=f"{identity!r}，同一连接上的设备 {other} 已使用",
        expected_zh="唯一的身份标识",
    )


def _other_grammar(device_id: str, model: str, first: str) -> LinkRemark:
    return LinkRemark(
        device=device_id,
        path=("table",),
        found_en=f"{model}, whose grammar differs from that of {first} on the same link",
        expected_en="one grammar a port: a link of its own",
        found_zh=f"{model}，其帧格式与同一连接上的 {first} 不同",
        expected_zh="每个端口一种帧格式：另设一个连接",
    )
