"""Structured logs: one `key=value` line an event, on standard error. Secrets never get here."""

import logging

FORMAT = "%(asctime)s.%(msecs)03d level=%(levelname)s logger=%(name)s %(message)s"


def start_logging(level: str = "INFO") -> None:
    """Set the root logger up once; chatty libraries speak only when something is wrong."""
    logging.basicConfig(level=level, format=FORMAT, datefmt="%Y-%m-%dT%H:%M:%S", force=True)
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    for name in ("httpx", "httpcore", "uvicorn"):  # the first two would say addresses and headers, passwords in them
        logging.getLogger(name).setLevel(logging.WARNING)
