"""The Modbus drivers, TCP, RTU and RTU over TCP: a link's units, each polled by its own task, each poll one `Readings`.

In: a bound link. Out: readings into the sink. Ties link, unit and polling together; must not know rules or stores.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from drivers.modbus.lines import Line, SerialLine, TcpLine
from drivers.modbus.link import ModbusLink
from drivers.modbus.paths import PathChoice
from drivers.modbus.rtu_link import BusTiming, RtuBus, RtuLink
from drivers.modbus.settings import (
    BackedOffLink,
    ModbusDevice,
    ModbusRtuLink,
    ModbusRtuTcpLink,
    ModbusTable,
    ModbusTcpLink,
    RtuBusSettings,
    RtuDevice,
)
from drivers.modbus.standby import StandbyLink, WordSource
from drivers.modbus.unit import ModbusUnit
from drivers.polling import Pace, Poller
from gateway.ports import BoundLink, Clock, DriverKind, LinkHealth, ReadingSink


class ModbusDriver:
    """All units of one link. They share its lock, and nothing else: each has its own task and breaker."""

    def __init__(self, bound: BoundLink, link: WordSource, clock: Clock) -> None:
        settings: BackedOffLink = bound.settings
        self.name = f"{settings.driver}:{settings.id}"
        self._link = link
        self._units = [ModbusUnit(device, link, clock) for device in bound.devices]
        self._pollers = [
            Poller(
                unit,
                Pace(device.settings.poll_ms / 1000, settings.backoff_min_ms / 1000, settings.backoff_max_ms / 1000),
                clock,
            )
            for unit, device in zip(self._units, bound.devices, strict=True)
        ]

    async def run(self, sink: ReadingSink) -> None:
        """Poll every unit of the link for as long as it is let run."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for poller in self._pollers:
                    tasks.create_task(poller.run(sink))
        finally:
            self._link.close()

    def health(self) -> Sequence[LinkHealth]:
        """How each unit of the link answers, one entry a unit."""
        address, on_standby = self._link.address, self._link.on_standby
        return [
            replace(poller.health(), address=address, on_standby=on_standby, labels=unit.labels)
            for poller, unit in zip(self._pollers, self._units, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Address:
    host: str
    port: int
    timeout_ms: int


def tcp_link(settings: ModbusTcpLink, clock: Clock) -> WordSource:
    """The link that these settings describe. Opens nothing yet."""
    first = ModbusLink(settings, clock)
    if settings.standby is None:
        return first
    second = ModbusLink(_Address(settings.standby.host, settings.standby.port, settings.timeout_ms), clock)
    return _with_standby(first, second, settings, clock)


def rtu_link(settings: ModbusRtuLink, clock: Clock) -> WordSource:
    """The bus on a serial port. Opens nothing yet."""
    paths = [settings.serial_port, *([settings.standby_serial_port] if settings.standby_serial_port else [])]
    return _rtu_over(
        [SerialLine(path, settings.baud, settings.parity, settings.stop_bits) for path in paths], settings, clock
    )


def rtu_tcp_link(settings: ModbusRtuTcpLink, clock: Clock) -> WordSource:
    """The bus behind a serial server. Opens nothing yet."""
    addresses = [(settings.host, settings.port)]
    if settings.standby is not None:
        addresses.append((settings.standby.host, settings.standby.port))
    return _rtu_over([TcpLine(host, port) for host, port in addresses], settings, clock)


def _rtu_over(lines: Sequence[Line], settings: RtuBusSettings, clock: Clock) -> WordSource:
    timing = BusTiming(
        baud=settings.baud,
        timeout_ms=settings.timeout_ms,
        down_timeout_ms=settings.down_timeout_ms,
        extra_silence_ms=settings.extra_silence_ms,
        quiet_ms=settings.quiet_ms,
        forget_s=settings.forget_s,
    )
    bus = RtuBus(timing)
    links = [RtuLink(line, bus, clock) for line in lines]
    return links[0] if len(links) == 1 else _with_standby(links[0], links[1], settings, clock)


def _with_standby(first: WordSource, second: WordSource, settings: BackedOffLink, clock: Clock) -> WordSource:
    return StandbyLink((first, second), PathChoice(settings.switch_after, settings.return_probe_s), clock)


def _kind(
    name: str, link_settings: type[BackedOffLink], devices: type[ModbusDevice], link: Callable[..., WordSource]
) -> DriverKind:
    return DriverKind(
        name=name,
        link_settings=link_settings,
        device_settings=devices,
        table_settings=ModbusTable,
        build=lambda bound, clock: ModbusDriver(bound, link(bound.settings, clock), clock),
        tables_of=tuple({"modbus-tcp", "modbus-rtu", "modbus-rtu-tcp"} - {name}),
        asks=True,
    )


KIND = _kind("modbus-tcp", ModbusTcpLink, ModbusDevice, tcp_link)
RTU_KIND = _kind("modbus-rtu", ModbusRtuLink, RtuDevice, rtu_link)
RTU_TCP_KIND = _kind("modbus-rtu-tcp", ModbusRtuTcpLink, RtuDevice, rtu_tcp_link)
