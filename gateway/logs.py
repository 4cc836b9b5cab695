"""Structured logs: one `key=value` line an event, on standard error. Secrets never get here."""

import logging

FORMAT = "%(asctime)s.%(msecs)03d level=%(levelname)s logger=%(name)s %(message)s"


def start_logging(level: str = "INFO") -> None:
    """Set the root logger up once; chatty libraries speak only when something is wrong."""
    logging.basicConfig(level=level, format=FORMAT, datefmt="%Y-%m-%dT%H:%M:%S", force=True)
    for name, floor in (("pymodbus", logging.CRITICAL), ("httpx", logging.WARNING), ("uvicorn", logging.WARNING)):
        logging.getLogger(name).setLevel(floor)
