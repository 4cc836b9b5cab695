"""Trust of a program on the box in the box's own HTTPS: the certificate files that it is served from.

In: those files. Out: an `SSLContext`. No host name is looked at: what the box's own authority has signed, or the one
certificate that is served, is the box, by whatever address it is asked.
"""

import ssl
from typing import Final

from gateway.tls.faults import TlsError
from gateway.tls.watch import CertificateFiles

_END: Final = "-----END CERTIFICATE-----\n"


def own_box_context(files: CertificateFiles) -> ssl.SSLContext:
    """Trusts this box and nothing else. Raises TlsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    path = files.ca_file or files.certificate
    try:
        text = path.read_text(encoding="ascii", errors="replace")
        begin = text.index("-----BEGIN CERTIFICATE-----")
        context.load_verify_locations(cadata=text[begin : text.index(_END, begin) + len(_END)])
    except (OSError, ValueError) as error:
        raise TlsError(f"{path} cannot be read: {error}") from None
    return context
