"""How programs written in Go lay out tables, sizes and ages."""

from __future__ import annotations

import time


def columns(rows: list[list[str]], gap: int = 4, *, trailing: bool = False) -> str:
    """Return rows in aligned columns.

    Args:
        rows: cells; all rows are equally long.
        gap: spaces between columns.
        trailing: whether the last column is filled up with spaces, too.
    """
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell + " " * (width - len(cell) + gap) for cell, width in zip(row, widths, strict=True)
        ]
        line = "".join(cells)
        lines.append(line if trailing else line.rstrip())
    return "".join(f"{line}\n" for line in lines)


def binary_size(count: float) -> str:
    """Return a size as ctr prints it: "3.1 MiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.1f} {unit}"
        count /= 1024
    return ""


def decimal_size(count: float) -> str:
    """Return a size as crictl prints it: "697kB", "26.5MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{float(f'{count:.3g}'):g}{unit}"
        count /= 1000
    return ""


def klog(level: str, source: str, text: str) -> str:
    """Return a line as the Kubernetes programs log it; `source` is "version.go:108"."""
    stamp = time.strftime("%m%d %H:%M:%S.000000", time.gmtime())
    return f"{level}{stamp}     559 {source}] {text}\n"


def ago(moment: float) -> str:
    """Return how long ago something was, as crictl prints it: "14 seconds ago"."""
    seconds = int(time.time() - moment)
    if seconds < 1:
        return "Less than a second ago"
    if seconds < 60:
        return f"{seconds} second{'s' if seconds != 1 else ''} ago"
    minutes = seconds // 60
    if minutes < 60:
        return "About a minute ago" if minutes == 1 else f"{minutes} minutes ago"
    hours = minutes // 60
    if hours < 48:
        return "About an hour ago" if hours == 1 else f"{hours} hours ago"
    return f"{hours // 24} days ago"
