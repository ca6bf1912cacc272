"""What a benchmark hands back, and how it becomes JSON and Markdown. Knows no benchmark."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Table:
    """A table for people; `note` says what was measured and under which conditions, in a sentence or two."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def markdown(self) -> str:
        """
        >>> print(Table("Speed", ("what", "ms"), [("step", "1.2")]).markdown())
        ### Speed
        <BLANKLINE>
        | what | ms |
        |---|---|
        | step | 1.2 |
        """
        lines = [f"### {self.title}", "", _line(self.header), "|" + "---|" * len(self.header), *map(_line, self.rows)]
        return "\n".join([*lines, "", self.note] if self.note else lines)


@dataclass(frozen=True)
class Result:
    """What one benchmark found: all figures for machines, the telling ones as tables."""

    figures: dict[str, Any]
    tables: Sequence[Table]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def median(values: Sequence[float]) -> float:
    return float(np.median(values))


def percentile(values: Sequence[float], q: float) -> float:
    """The q-th percentile; where there are too few values to have one it is the largest.

    >>> percentile([1.0, 2.0, 5.0], 99.9)
    5.0
    """
    return float(np.percentile(values, q, method="higher"))


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """
    >>> quartiles([1.0, 2.0, 3.0, 4.0, 5.0])
    (2.0, 4.0)
    """
    low, high = np.percentile(values, [25, 75])
    return float(low), float(high)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median and quartiles.

    >>> spread([1.0, 2.0, 3.0, 4.0, 5.0], 1)
    '3.0 (2.0–4.0)'
    """
    low, high = quartiles(values)
    return f"{median(values):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def environment() -> dict[str, Any]:
    """What the figures depend on; `load` is the load average of the last minute, at the start."""
    return {
        "at": time.strftime("%Y-%m-%d %H:%M:%S%z"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
    }


def as_json(result: Result, about: dict[str, Any], seconds: float) -> dict[str, Any]:
    tables = [asdict(table) for table in result.tables]
    return {"environment": about, "seconds": round(seconds, 1), "figures": result.figures, "tables": tables}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor()
    names = (
        line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
    )
    return next(names, platform.processor())
