"""Trusted authorities of the box's outgoing connections: one authority's file, or the system's.

In: a PEM file. Out: an `SSLContext`. Knows no connection.
"""

import ssl
from pathlib import Path


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """A context of a client that trusts `ca_file`, or the system's authorities when None. Raises OSError that names the
    file when it is missing or no PEM file (the library's own error names none)."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(ca_file)) from None
