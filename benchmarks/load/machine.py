"""The machine at hand, and which of its cores does what."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("locust", "gevent", "geventhttpclient", "pyarrow", "numpy")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures depend on."""

    cpu: str
    cores: int
    kernel: str
    python: str
    libraries: dict[str, str]
    load_average: float
    """Of the last minute, before anything was started."""

    @classmethod
    def look(cls) -> Machine:
        """This machine, now."""
        models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        return cls(
            cpu=models[0].partition(":")[2].strip() if models else platform.machine(),
            cores=len(os.sched_getaffinity(0)),
            kernel=platform.release(),
            python=platform.python_version(),
            libraries={name: version(name) for name in LIBRARIES},
            load_average=load_average(),
        )


@dataclass(frozen=True, slots=True)
class Cores:
    """The generator has a core to itself; the server and the benchmark share another."""

    generator: int
    server: int

    @classmethod
    def share(cls) -> Cores:
        """The first two cores of this process, the first for the server: most systems do work of their own on that one.

        Raises ValueError where there is only one.
        """
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise ValueError("the benchmark needs two cores: one for the generator, one for the server")
        return cls(generator=cores[1], server=cores[0])


def load_average() -> float:
    """Processes that wanted a core, the mean of the last minute."""
    return os.getloadavg()[0]
