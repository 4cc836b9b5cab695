"""What every Prometheus target tells of itself: process figures and the build.

In: nothing. Out: the `process_*` families of the Prometheus client libraries, and `sitewarden_build_info`.
Source: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
"""

import platform
import time
from collections.abc import Iterator

from prometheus_client import ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contract import __version__


class ProcessFigures(ProcessCollector):
    """`process_*` of this process. The library asks /proc/stat for the time of boot; the unit file hides that file
    (`ProcSubset=pid`), so the kernel's clocks are asked instead."""

    def _boot_time(self) -> float:
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


class BuildCollector(Collector):
    """One row that is always 1: the version of the program and of its Python."""

    def collect(self) -> Iterator[Metric]:
        """The family."""
        build = GaugeMetricFamily("sitewarden_build_info", "1; what runs", labels=["version", "python"])
        build.add_metric([__version__, platform.python_version()], 1)
        yield build
