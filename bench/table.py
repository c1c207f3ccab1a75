"""Writes what a run found: a table for people, one JSON object for programs."""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.findings import Findings, spread

WIDTHS = (36, 46, 9, 32)


def table(figures: list[Figure], findings: Findings) -> str:
    """A line for each figure: what it is, what it must reach, what it reached with least and most, the verdict."""
    lines = [_line("figure", "", "target", "reached (least - most)", "")]
    lines += [_figure(figure, findings) for figure in figures]
    lines += [f"Left out: {key}. {why}" for key, why in findings.left_out.items()]
    return "\n".join(lines)


def _figure(figure: Figure, findings: Findings) -> str:
    value = findings.value(figure.key)
    if value is None:
        return _line(figure.key, figure.words, figure.target, "not measured", "")
    values = findings.figures[figure.key]
    reached = f"{_shown(value)} ({_shown(min(values))} - {_shown(max(values))})"
    return _line(figure.key, figure.words, figure.target, reached, figure.verdict(value))


def _line(*cells: str) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=False))
    return "  ".join([*padded, cells[-1]]).rstrip()


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def results(findings: Findings, size: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Every figure under its key, then what they were made of."""
    return {
        **{key: findings.value(key) for key in findings.figures},
        "spread": {key: spread(values) | {"rounds": len(values)} for key, values in findings.figures.items()},
        "raw": findings.raw,
        "left_out": findings.left_out,
        "size": dict(size),
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(),
            "load": list(os.getloadavg()),
        },
        "seconds": round(seconds),
    }


def write(found: dict[str, Any], path: Path) -> str:
    """The results as one line, also kept in `path`."""
    line = json.dumps(found)
    path.write_text(line + "\n")
    return line
