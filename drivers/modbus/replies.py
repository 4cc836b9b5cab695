"""Decoding of a reply's PDU: words, an exception code, or no answer to the request. Shared by TCP and RTU.

In: function code and data of a reply whose frame was sound, and the request. Out: words, or one typed error. Pure;
knows no connection: callers say in their errors where and whom they asked.
"""

import numpy as np

from drivers.modbus.plan import Request
from drivers.modbus.registers import BIT_FUNCTIONS, Words
from gateway.model.errors import LinkError

EXCEPTION_FLAG = 0x80
EXCEPTION_NAMES = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}
"""Modbus Application Protocol V1.1b3, section 7."""

_UNIT_IS_ABSENT = (10, 11)
_REFUSES_ADDRESSES = (2, 3, 4)


class ExceptionReplyError(LinkError):
    """The unit, or a gateway for it, answered with an exception code.

    `certain` is False when the reply may belong to an earlier request of the same function (RTU has no transaction id).
    """

    def __init__(self, message: str, code: int, *, certain: bool = True) -> None:
        self.code = code
        self.certain = certain
        super().__init__(message)

    @property
    def unit_is_absent(self) -> bool:
        """A gateway says that the unit behind it does not answer: asking for other addresses is of no use."""
        return self.code in _UNIT_IS_ABSENT

    @property
    def refuses_addresses(self) -> bool:
        """The unit may dislike the range that was asked for. Maps in the field answer 2, 3 or 4 for the same fault."""
        return self.certain and self.code in _REFUSES_ADDRESSES


class NotAnAnswerError(Exception):
    """The PDU does not answer the request; the message says what was found and what was expected."""


def exception_name(code: int) -> str:
    """The exception code in the words of the specification."""
    return EXCEPTION_NAMES.get(code, "unknown code")


def data_bytes(request: Request) -> int:
    """How many bytes of data a reply to this request carries: the "byte count" that it must announce."""
    return (request.count + 7) // 8 if request.function in BIT_FUNCTIONS else 2 * request.count


def words_of(function: int, data: bytes, request: Request) -> Words:
    """The words (functions 3, 4) or bits as 0 and 1 (functions 1, 2) of a reply. `data` follows the function code.

    Raises NotAnAnswerError for another function, or another number of bytes than was asked for.
    """
    if function != request.function:
        raise NotAnAnswerError(f"function code {function}")
    expected = data_bytes(request)
    if len(data) != expected + 1 or data[0] != expected:
        announced = data[:1].hex() or "missing"
        raise NotAnAnswerError(f"byte count {announced} (hex), {len(data[1:])} data bytes, expected {expected}")
    if request.function in BIT_FUNCTIONS:
        packed = np.frombuffer(data, dtype=np.uint8, offset=1)
        return np.unpackbits(packed, count=request.count, bitorder="little").astype(np.uint16)
    return np.frombuffer(data, dtype=">u2", offset=1).astype(np.uint16)
