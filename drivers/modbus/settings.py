"""What a site may say about Modbus, TCP and RTU: links, devices, and the register table of a device model.

In: YAML that `gateway.settings` has read. Out: frozen, checked models. Knows nothing of sockets or files.
"""

from collections import Counter
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from drivers.modbus.registers import BIT_FUNCTIONS, RegisterType
from drivers.numbers.point import NumberPoint, check_decimals
from drivers.numbers.types import ByteOrder
from drivers.schema import DeviceSettings, DeviceTable, LinkSettings, Schema, check_fault_bits

ADDRESSES = 65_536
MAX_REGISTERS = 125  # Modbus Application Protocol V1.1b3, 6.3 and 6.4; bits: 2000 = 16 x 125 (6.1, 6.2)


class BackedOffLink(LinkSettings):
    """A link whose devices are left alone after a failure: for a random time below a bound that doubles from
    `backoff_min_ms` to `backoff_max_ms`, and beyond `backoff_min_ms` never exceeds the time that the device has been
    down. A link with a standby changes to it after `switch_after` failures in a row, and tries its first
    address again every `return_probe_s`.
    """

    backoff_min_ms: Annotated[int, Field(ge=10, le=600_000)] = 500
    backoff_max_ms: Annotated[int, Field(ge=10, le=3_600_000)] = 30_000
    switch_after: Annotated[int, Field(ge=1, le=100)] = 3
    return_probe_s: Annotated[float, Field(ge=0.1, le=86_400)] = 60.0

    @model_validator(mode="after")
    def _backoff_grows(self) -> Self:
        if self.backoff_max_ms < self.backoff_min_ms:
            raise ValueError(
                f"backoff_max_ms ({self.backoff_max_ms}) at or above backoff_min_ms ({self.backoff_min_ms})"
            )
        return self


class TcpStandby(Schema):
    """The second address of a TCP link: another unit, another network card of the same, or a second serial server."""

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 502


class ModbusTcpLink(BackedOffLink):
    """One TCP connection. `timeout_ms` bounds connecting and each reply."""

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 502
    timeout_ms: Annotated[int, Field(ge=10, le=60_000)] = 1000
    standby: TcpStandby | None = None


class RtuBusSettings(BackedOffLink):
    """An RS-485 bus. `timeout_ms` is how long a unit may think before it answers; time on the wire comes on top.

    A unit that has been silent is given `down_timeout_ms` until it answers again (`drivers.modbus.patience`). Between
    frames the line is silent for 3.5 characters (above 19200 baud: 1.75 ms) and `extra_silence_ms`; after silence or a
    broken frame for `quiet_ms`. An answer that has not come after `forget_s` never will.
    """

    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    timeout_ms: Annotated[int, Field(ge=10, le=10_000)] = 500
    down_timeout_ms: Annotated[int, Field(ge=10, le=10_000)] = 100
    extra_silence_ms: Annotated[float, Field(ge=0, le=1000)] = 0.0
    quiet_ms: Annotated[float, Field(ge=0, le=5000)] = 50.0
    forget_s: Annotated[float, Field(ge=1, le=3600)] = 10.0

    @model_validator(mode="after")
    def _forgets_after_the_timeout(self) -> Self:
        if self.forget_s * 1000 <= self.timeout_ms:
            raise ValueError(f"forget_s ({self.forget_s:g}) longer than timeout_ms ({self.timeout_ms})")
        return self


class ModbusRtuLink(RtuBusSettings):
    """A bus on a serial port of this machine, and perhaps a second port to the same bus."""

    serial_port: Annotated[str, Field(pattern=r"^/[!-~]{1,250}$")]
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1
    standby_serial_port: Annotated[str, Field(pattern=r"^/[!-~]{1,250}$")] | None = None

    @model_validator(mode="after")
    def _two_ports_differ(self) -> Self:
        if self.standby_serial_port == self.serial_port:
            raise ValueError(f"another standby_serial_port than serial_port ({self.serial_port})")
        return self


class ModbusRtuTcpLink(RtuBusSettings):
    """A bus behind a serial server in raw ("transparent") mode. `baud` is that of the bus, for the timing."""

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65_535)]
    standby: TcpStandby | None = None


class ModbusDevice(DeviceSettings):
    """One unit on a link. `poll_ms` 0 polls as fast as the unit answers."""

    unit_id: Annotated[int, Field(ge=0, le=255)] = 1
    poll_ms: Annotated[int, Field(ge=0, le=86_400_000)] = 1000


class RtuDevice(ModbusDevice):
    """One unit on a bus: 0 is for broadcasts, 248 to 255 are reserved (Modbus over Serial Line V1.02, 2.2)."""

    unit_id: Annotated[int, Field(ge=1, le=247)] = 1


class LabelRegisters(Schema):
    """A text in a device: its model, its serial number. Read now and then, shown with the link's health, never judged.

    Two characters a register, high byte first (`swapped`: low byte first). The text ends at the first NUL.
    """

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    function: Literal[3, 4]
    address: Annotated[int, Field(ge=0, lt=ADDRESSES)]
    registers: Annotated[int, Field(ge=1, le=64)]
    encoding: Literal["ascii", "utf-8", "gb18030"] = "ascii"
    swapped: bool = False

    @model_validator(mode="after")
    def _fits_the_address_space(self) -> Self:
        if self.address + self.registers > ADDRESSES:
            raise ValueError(f"registers up to address {ADDRESSES - 1}, not {self.registers} from {self.address} on")
        return self


class RegisterPoint(NumberPoint):
    """One value of the map. `address` counts from 0 as on the wire (reference 40001 is function 3, address 0).

    The field of a `bit` or `bits` point is one register; functions 1 and 2 address each bit itself.
    """

    holder: ClassVar[str] = "register"
    function: Literal[1, 2, 3, 4]
    address: Annotated[int, Field(ge=0, lt=ADDRESSES)]
    type: RegisterType

    @model_validator(mode="after")
    def _fits_the_address_space(self) -> Self:
        if self.address + self.type.words > ADDRESSES:
            raise ValueError(
                f"a point that ends at address {ADDRESSES - 1} or before, not {self.type} at {self.address}"
            )
        return self

    @model_validator(mode="after")
    def _bits_are_named(self) -> Self:
        if self.function in BIT_FUNCTIONS:
            if self.type is not RegisterType.BIT:
                raise ValueError(f"type bit, not {self.type}: function {self.function} reads single bits")
            if self.bit is not None or self.order is not None:
                raise ValueError(f"neither bit nor order: function {self.function} addresses each bit itself")
        elif self.type.is_field != (self.bit is not None):
            wanted = "bit: 0..15" if self.type.is_field else "no bit, which belongs to type bit or bits,"
            raise ValueError(f"{wanted} with type {self.type} and function {self.function}")
        return self


class ModbusTable(DeviceTable):
    """The register map of a device model.

    `order` holds for points that name none. One request reads at most `max_registers` (16 times as many bits) and may
    read over up to `max_gap` addresses that no point uses, to save a request; 0 for units that refuse unmapped ones.
    """

    order: ByteOrder = ByteOrder.ABCD
    max_registers: Annotated[int, Field(ge=1, le=MAX_REGISTERS)] = MAX_REGISTERS
    max_gap: Annotated[int, Field(ge=0, le=MAX_REGISTERS)] = 0
    points: Annotated[tuple[RegisterPoint, ...], Field(min_length=1)]
    labels: Annotated[tuple[LabelRegisters, ...], Field(max_length=16)] = ()

    def order_of(self, point: RegisterPoint) -> ByteOrder:
        """The order in force for this point."""
        return point.order or self.order

    @model_validator(mode="after")
    def _keys_are_unique(self) -> Self:
        keys = [point.key for point in self.points] + [label.key for label in self.labels]
        repeated = [key for key, times in Counter(keys).items() if times > 1]
        if repeated:
            raise ValueError(f"each key once, not twice {', '.join(sorted(repeated))}")
        return self

    @model_validator(mode="after")
    def _decimals_lead_somewhere(self) -> Self:
        check_decimals(self.points)
        return self

    @model_validator(mode="after")
    def _faults_lead_somewhere(self) -> Self:
        check_fault_bits(self.points)
        return self

    @model_validator(mode="after")
    def _points_fit_a_request(self) -> Self:
        for point in self.points:
            if point.type.words > self.max_registers:
                raise ValueError(
                    f"max_registers of {point.type.words} or more for point {point.key} ({point.type}), "
                    f"not {self.max_registers}"
                )
        return self
