"""What lies in 16-bit Modbus words: the functions that read them and the types of their values.

Nothing flows here; settings, decode and encode agree on these names. Knows no table and no wire.
"""

import numpy as np
from numpy.typing import NDArray

from drivers.numbers.types import NumberType

READ_COILS = 1
READ_DISCRETE_INPUTS = 2
READ_HOLDING_REGISTERS = 3
READ_INPUT_REGISTERS = 4
BIT_FUNCTIONS = (READ_COILS, READ_DISCRETE_INPUTS)

Words = NDArray[np.uint16]


class RegisterType(NumberType):
    """What a point's words mean. `bit` is one bit (of a register, or a coil); `bits` is a field of a register."""

    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"
    BCD32 = "bcd32"
    BIT = "bit"
    BITS = "bits"
