"""One Modbus TCP connection: asks for words, one request at a time.

In: unit id and `Request`. Out: the words of the reply, or an error that says function, address, unit and reason.
It sends function codes 1 to 4 and nothing else. Must not know tables, values or schedules.

Theory of operation. pymodbus frames requests and matches replies by transaction id; replies are taken undecoded
(`_RawReplies`), checked here, and turned into words at once: pymodbus' own reply classes unpack one register at a time
and drop the connection with a traceback on a reply that they cannot read. There is one connection, one lock, no retry:
the poller's back-off decides. After anything but an answer (silence, a foreign or broken frame, cancellation) the
connection is closed, so that a late reply has no connection left to arrive on and can never be taken for the answer
to the next request. An exception reply is an answer: the connection stays.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import DecodePDU, ModbusPDU

from drivers.modbus.plan import Request
from drivers.modbus.registers import (
    READ_COILS,
    READ_DISCRETE_INPUTS,
    READ_HOLDING_REGISTERS,
    READ_INPUT_REGISTERS,
    Words,
)
from drivers.modbus.replies import (
    EXCEPTION_FLAG,
    EXCEPTION_NAMES,
    ExceptionReplyError,
    NotAnAnswerError,
    exception_name,
    words_of,
)
from drivers.polling import UnreadableReplyError
from gateway.model.errors import LinkError
from gateway.ports import Clock

__all__ = ["EXCEPTION_NAMES", "ExceptionReplyError", "ModbusLink"]

_SHOWN_BYTES = 32


class _RawReply(ModbusPDU):
    """A reply as it came: its function code (128 added in an exception) and what follows it."""

    def __init__(self, function_code: int, data: bytes) -> None:
        super().__init__()
        self.function_code = function_code
        self.data = data


class _RawReplies(DecodePDU):
    """Takes every frame for a reply, so that judging it is ours."""

    def __init__(self) -> None:
        super().__init__(is_server=False)

    def decode(self, frame: bytes) -> ModbusPDU:
        """The frame as pymodbus passes it on: its raw bytes."""
        return _RawReply(frame[0], frame[1:])


class TcpAddress(Protocol):
    """Where to connect, and how long to wait: a link's settings, or its standby's."""

    @property
    def host(self) -> str:
        """The name or IP address of the converter."""
        ...

    @property
    def port(self) -> int:
        """The TCP port of the converter, 502 by default."""
        ...

    @property
    def timeout_ms(self) -> int:
        """Bounds connecting and each reply, in milliseconds."""
        ...


class ModbusLink:
    """A connection to one host and port, opened when first needed and again after every failure."""

    replies_may_be_late = False  # the transaction id ties them together, and a doubtful connection is closed
    on_standby = False

    def __init__(self, settings: TcpAddress, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._where = f"{settings.host}:{settings.port}"
        self._lock = asyncio.Lock()
        self._client: AsyncModbusTcpClient | None = None
        self._waiting = False
        self._received = b""
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # it dumps frames at ERROR on every timeout

    @property
    def address(self) -> str:
        """Where the units are reached, as pages and logs show it."""
        return self._where

    async def read(self, unit_id: int, request: Request) -> Words:
        """The words (functions 3, 4) or bits as 0 and 1 (functions 1, 2) that the unit answers.

        Raises ExceptionReplyError for an exception reply, UnreadableReplyError for a reply that is none, LinkError for
        silence, a refused or a lost connection.
        """
        async with self._lock:
            answered = False
            try:
                reply = await self._ask(await self._connected(), unit_id, request)
                words = self._words_of(reply, unit_id, request)
                answered = True
            except ExceptionReplyError:
                answered = True
                raise
            finally:
                if not answered:
                    self.close()
                _honour_cancellation()
        return words

    def close(self) -> None:
        """Let go of the connection; the next read opens a new one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is not None and self._client.connected:
            return self._client
        self._client = client = self._new_client()
        started_ns = self._clock.monotonic_ns()
        if not await client.connect():
            waited_ms = (self._clock.monotonic_ns() - started_ns) / 1e6
            silent = waited_ms >= 0.9 * self._settings.timeout_ms
            reason = f"no answer within {self._settings.timeout_ms} ms" if silent else "refused or unreachable"
            raise LinkError(f"cannot connect to {self._where}: {reason}")
        return client

    def _new_client(self) -> AsyncModbusTcpClient:
        client = AsyncModbusTcpClient(
            self._settings.host,
            port=self._settings.port,
            timeout=self._settings.timeout_ms / 1000,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._note_packet,
            trace_connect=self._note_connection,
        )
        client.ctx.framer.decoder = _RawReplies()
        return client

    def _note_packet(self, sending: bool, data: bytes) -> bytes:
        self._received = b"" if sending else data
        return data

    def _note_connection(self, connected: bool) -> None:
        """Wake the waiting request when the connection is lost; pymodbus would let it run into its timeout."""
        client = self._client
        if connected or not self._waiting or client is None or client.ctx.response_future.done():
            return
        client.ctx.response_future.set_exception(ConnectionResetError())

    async def _ask(self, client: AsyncModbusTcpClient, unit_id: int, request: Request) -> _RawReply:
        self._waiting = True
        try:
            reply = await _read_call(client, request.function)(request.address, count=request.count, device_id=unit_id)
        except ConnectionResetError:
            raise LinkError(f"connection lost {self._asking(unit_id, request)}") from None
        except ModbusException:
            raise self._no_answer(unit_id, request) from None
        finally:
            self._waiting = False
        assert isinstance(reply, _RawReply)
        if reply.transaction_id != client.ctx.request_transaction_id:  # pymodbus lets a 0 pass
            raise self._unreadable(unit_id, request, f"transaction id {reply.transaction_id}")
        return reply

    def _no_answer(self, unit_id: int, request: Request) -> Exception:
        if self._received:
            return self._unreadable(unit_id, request, "no whole frame with this request's transaction and unit id")
        return LinkError(f"no reply within {self._settings.timeout_ms} ms {self._asking(unit_id, request)}")

    def _words_of(self, reply: _RawReply, unit_id: int, request: Request) -> Words:
        if reply.function_code == request.function | EXCEPTION_FLAG and len(reply.data) == 1:
            code = reply.data[0]
            raise ExceptionReplyError(
                f"exception {code} ({exception_name(code)}) {self._asking(unit_id, request)}", code
            )
        try:
            return words_of(reply.function_code, reply.data, request)
        except NotAnAnswerError as error:
            raise self._unreadable(unit_id, request, str(error)) from None

    def _unreadable(self, unit_id: int, request: Request, found: str) -> UnreadableReplyError:
        shown = self._received[:_SHOWN_BYTES].hex(" ")
        text = f"reply is not an answer: {found} {self._asking(unit_id, request)}; received {shown or 'nothing'}"
        return UnreadableReplyError(text, self._received)

    def _asking(self, unit_id: int, request: Request) -> str:
        return (
            f"asking {self._where} unit {unit_id} for function {request.function}, "
            f"address {request.address}, count {request.count}"
        )


def _honour_cancellation() -> None:
    """Stop here when this task was cancelled. `asyncio.wait_for` of Python 3.11, which pymodbus uses, loses a
    cancellation that arrives together with the reply; the task would then poll on for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _read_call(client: AsyncModbusTcpClient, function: int) -> Callable[..., Awaitable[ModbusPDU]]:
    calls: dict[int, Callable[..., Awaitable[ModbusPDU]]] = {
        READ_COILS: client.read_coils,
        READ_DISCRETE_INPUTS: client.read_discrete_inputs,
        READ_HOLDING_REGISTERS: client.read_holding_registers,
        READ_INPUT_REGISTERS: client.read_input_registers,
    }
    return calls[function]
