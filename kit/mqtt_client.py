"""A paho client that holds no more of a packet than it is told to, however large the packet is.

paho reads a packet whole before it looks at it: a message of 200 MB costs 200 MB and more. MQTT 5 lets a client say
what it takes (3.1.2.11.4), MQTT 3.1.1 does not, and not every broker heeds it. So the bytes of a packet that is too
large are read off in pieces and all but the first are forgotten; the connection and the messages behind it go on.

    | topic, identifier, properties, first bytes of the payload |  ........  |
    |<------------------- HEAD_BYTES -------------------------->|  forgotten |

In: what a broker sends. Out: paho's callbacks; `cut_from_bytes` tells in `on_message` that the payload is only a head.
`client_of` makes one as a site file says; `loss` puts the end of a connection in words. Knows no topics.
"""

import ssl
import struct
from typing import Any, Final

from paho.mqtt.client import Client, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MessageType, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.exception import MQTTException
from paho.mqtt.properties import VariableByteIntegers
from paho.mqtt.reasoncodes import ReasonCode

from kit.mqtt_settings import BrokerSettings, TlsFiles

MALFORMED: Final = (MQTTException, ValueError, IndexError, struct.error)
"""What paho raises at bytes that are no MQTT."""
_UNSPECIFIED: Final = 0x80
PIECE_BYTES: Final = 65_536
HEAD_BYTES: Final = 131_072
"""A topic (at most 65,535 bytes), its lengths and identifier, and as much of what follows."""


class BoundedClient(Client):
    """`paho.mqtt.client.Client`; a PUBLISH of more than `max_packet_bytes` arrives as its head.

    Any other packet of that size is a protocol error, which ends the connection.
    """

    def __init__(self, *arguments: Any, max_packet_bytes: int, **named: Any) -> None:
        self._max_packet_bytes = max_packet_bytes
        super().__init__(*arguments, **named)

    @property
    def cut_from_bytes(self) -> int:
        """While a packet is handled: its size, when only its head was kept; 0 when it is whole."""
        size = self._in_packet["remaining_length"]
        return size if size > self._max_packet_bytes else 0

    def _sock_recv(self, bufsize: int) -> bytes:
        if self.cut_from_bytes:
            del self._in_packet["packet"][HEAD_BYTES:]
        return super()._sock_recv(min(bufsize, PIECE_BYTES))

    def _packet_handle(self) -> MQTTErrorCode:
        if self.cut_from_bytes:
            if self._in_packet["command"] & 0xF0 != MessageType.PUBLISH:
                return MQTTErrorCode.MQTT_ERR_PROTOCOL
            if self._protocol == MQTTProtocolVersion.MQTTv5:
                _without_properties(self._in_packet["packet"], has_identifier=self._in_packet["command"] & 0x06 != 0)
        return super()._packet_handle()


def client_of(
    settings: BrokerSettings,
    client_id: str,
    tls: ssl.SSLContext | None,
    max_packet_bytes: int,
    *,
    clean_session: bool | None = None,
    manual_ack: bool = False,
) -> BoundedClient:
    """A client that never reconnects by itself. Raises LookupError for a password that cannot be read."""
    version = MQTTProtocolVersion.MQTTv5 if settings.protocol == "5" else MQTTProtocolVersion.MQTTv311
    client = BoundedClient(
        CallbackAPIVersion.VERSION2,
        client_id,
        clean_session=clean_session,
        protocol=version,
        reconnect_on_failure=False,
        manual_ack=manual_ack,
        max_packet_bytes=max_packet_bytes,
    )
    client.connect_timeout = settings.connect_timeout_s
    if settings.username:
        client.username_pw_set(settings.username, settings.password.reveal() if settings.password else None)
    if tls is not None:
        client.tls_set_context(tls)
    return client


def shown(context: ssl.SSLContext, files: TlsFiles) -> ssl.SSLContext:
    """The context with the box's own certificate; its sockets are closed when the handshake fails."""
    context.sslsocket_class = _TidySocket
    if files.cert_file is not None:
        context.load_cert_chain(files.cert_file, files.key_file)
    return context


def loss(flags: DisconnectFlags, code: ReasonCode) -> str:
    """Why a connection ended."""
    if flags.is_disconnect_packet_from_server:
        return f"the broker closed the connection: {code}"
    return "connection lost" if code.value == _UNSPECIFIED else f"connection lost: {code}"


class _TidySocket(ssl.SSLSocket):
    """Closed when the handshake fails: paho would leave that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _without_properties(head: bytearray, *, has_identifier: bool) -> None:
    """Nobody reads the properties of a message that is refused, and their end may lie behind the head."""
    at = 2 + int.from_bytes(head[:2], "big") + (2 if has_identifier else 0)
    length, length_bytes = VariableByteIntegers.decode(head[at : at + 4])  # type: ignore[no-untyped-call]
    head[at : at + length_bytes + length] = b"\0"
