"""Messages between a gateway and a regulator. Imports nothing of either.

`__version__` is the release of the whole program. It is written here and nowhere else: the wheel's metadata, the box,
the desk and the twins read it from here. A checkout without an installed distribution knows it too.
"""

__version__ = "1.3.0"
