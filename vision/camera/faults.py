"""What can go wrong between a camera and the box, in words for whoever has to mend it.

In: libav's errors, whose texts contain addresses with passwords. Out: `CaptureFault`, whose text holds none of that.
"""

import av

_BY_KIND: tuple[tuple[type[BaseException], str], ...] = (
    (av.error.HTTPUnauthorizedError, "the camera refuses the user name or password (401)"),
    (av.error.HTTPForbiddenError, "the camera forbids this stream to this user (403)"),
    (av.error.HTTPNotFoundError, "the camera knows no such stream (404): look at the path of the address"),
    (av.error.HTTPClientError, "the camera refuses the request"),
    (av.error.HTTPServerError, "the camera answers with an internal error (5xx)"),
    (ConnectionRefusedError, "connection refused: nothing listens on that port"),
    (ConnectionResetError, "the camera closed the connection"),
    (BrokenPipeError, "the camera closed the connection"),
    (FileNotFoundError, "no such file or device"),
    (PermissionError, "no permission to read it"),
    (IsADirectoryError, "it is a folder"),
    (av.error.ProtocolNotFoundError, "this kind of address is not read"),
    (av.error.DemuxerNotFoundError, "this kind of input is not read"),
    (av.error.DecoderNotFoundError, "there is no decoder for its video"),
    (av.error.InvalidDataError, "what came is no video"),
)
_TIMEOUTS = (TimeoutError, av.error.ExitError)
_ENDS = (EOFError, av.error.EOFError)


class CaptureFault(Exception):  # noqa: N818  a fault is what it is called on screens and in the guide
    """Why a camera gives no pictures now. `slow` asks for the longest wait before the next try: cameras lock an account
    after a few wrong passwords. `final` asks for none at all (a file that has ended)."""

    def __init__(self, text: str, *, slow: bool = False, final: bool = False) -> None:
        super().__init__(text)
        self.slow = slow
        self.final = final


def fault_of(error: BaseException, read_timeout_s: float) -> CaptureFault:
    """libav's error as a fault, without libav's text."""
    if isinstance(error, _TIMEOUTS):
        return CaptureFault(f"nothing came for {read_timeout_s:g} s")
    if isinstance(error, _ENDS):
        return CaptureFault("the camera ended the stream")
    for kind, text in _BY_KIND:
        if isinstance(error, kind):
            return CaptureFault(text, slow=isinstance(error, av.error.HTTPClientError) and "user" in text)
    number = getattr(error, "errno", None)
    reason = getattr(error, "strerror", None) or type(error).__name__
    return CaptureFault(f"{reason} (libav {number})" if number is not None else reason)
