"""What commands print as tables: JSON, CSV, TSV, columns under a header, and the objects of PowerShell.

Columns whose values are all numbers become numbers; everything else stays the text that it is. PowerShell's objects come as a
line of JSON each, in which a time is `{"$date": ...}` and a span `{"$seconds": ...}`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMS = ("auto", "json", "csv", "tsv", "columns")

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_MISSING = frozenset({"", "<none>"})


def frame_of(text: str, form: str = "auto") -> pd.DataFrame:
    """Return a table of what a command printed; without any output an empty one.

    Args:
        text: What it printed.
        form: One of `FORMS`.

    Raises:
        ValueError: saying why it is none of that form.
    """
    import pandas as pd

    if not text.strip():
        return pd.DataFrame()
    if form == "auto":
        form = _form(text)
    readers: dict[str, Callable[[str], pd.DataFrame]] = {
        "json": _json,
        "csv": lambda text: _separated(text, ","),
        "tsv": lambda text: _separated(text, "\t"),
        "columns": _columns,
    }
    if form not in readers:
        raise ValueError(f"`{form}` is no form of a table: {', '.join(FORMS)}")
    return readers[form](text)


def one_frame(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return tables of several hosts as one, with a column `host` in front; columns of one alone are empty for others."""
    import pandas as pd

    parts = []
    for host, frame in frames.items():
        if len(frame):
            named = (
                frame.rename(columns={"host": "host_"}) if "host" in frame.columns else frame.copy()
            )
            named.insert(0, "host", host)
            parts.append(named)
    if not parts:
        # A header alone is a table without rows: what it says is not lost.
        names = dict.fromkeys(name for frame in frames.values() for name in frame.columns)
        return pd.DataFrame({name: pd.Series(dtype="str") for name in ("host", *names)})
    return pd.concat(parts, ignore_index=True)


def _form(text: str) -> str:
    begin = text.lstrip()[:1]
    if begin and begin in "[{":
        return "json"
    lines = [line for line in text.splitlines() if line.strip()]
    if "\t" in lines[0]:
        return "tsv"
    if "," in lines[0]:
        widths = {len(row) for row in csv.reader(io.StringIO(text)) if row}
        if len(widths) == 1 and widths != {1}:
            return "csv"
    return "columns"


def _json(text: str) -> pd.DataFrame:
    import pandas as pd

    try:
        read = json.loads(text)
    except ValueError as whole:
        try:
            # A line each, as `ConvertTo-Json -Compress` and many a log have it.
            read = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise ValueError(f"it is no JSON: {whole}") from None
    if isinstance(read, dict) and isinstance(read.get("items"), list):
        read = read["items"]  # a list of Kubernetes
        return pd.json_normalize(read)
    rows = read if isinstance(read, list) else [read]
    records = [row if isinstance(row, dict) else {"value": row} for row in rows]
    names = dict.fromkeys(name for row in records for name in row)
    columns = {name: [_plain(row.get(name)) for row in records] for name in names}
    return pd.DataFrame({name: _typed(values) for name, values in columns.items()})


def _plain(value: Any) -> Any:
    import pandas as pd

    if isinstance(value, dict) and len(value) == 1:
        if "$date" in value:
            return pd.Timestamp(value["$date"])
        if "$seconds" in value:
            return pd.Timedelta(seconds=value["$seconds"])
    return value


def _typed(values: list[Any]) -> Any:
    """Return a column: whole numbers stay whole though some are missing, and times are times."""
    import pandas as pd

    there = [value for value in values if value is not None]
    if there and len(there) < len(values):
        if all(type(value) is int and abs(value) < 2**63 for value in there):
            return pd.array(values, dtype="Int64")
        if all(type(value) is bool for value in there):
            return pd.array(values, dtype="boolean")
    if there and all(isinstance(value, pd.Timestamp) for value in there):
        zones = {str(value.tz) for value in there}
        return pd.to_datetime(pd.Series(values), utc=len(zones) > 1)
    return pd.Series(values, dtype=None if there else "object")


def _separated(text: str, separator: str) -> pd.DataFrame:
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    header, *body = rows
    longest = max((len(row) for row in body), default=0)
    if longest > len(header):
        raise ValueError(f"a line has {longest} fields, the header {len(header)}")
    return _table([name.strip() for name in header], body)


def _columns(text: str) -> pd.DataFrame:
    """Read columns under a header, as `ps`, `df`, `lsblk`, `docker` and `kubectl` print them.

    Where all lines have a space, one column ends. A header of two words over one column stays together, and the last column
    takes what is left of a line.
    """
    lines = [line.expandtabs() for line in text.splitlines() if line.strip()]
    header, *body = lines
    words = [(found.start(), found.end()) for found in re.finditer(r"\S+", header)]
    count = len(words)
    split = [line.split() for line in body]
    if all(len(row) == count for row in split):
        return _table([header[a:b] for a, b in words], split)
    width = max(map(len, lines))
    blank = [
        all(place >= len(line) or line[place] == " " for line in lines) for place in range(width)
    ]
    starts = [p for p in range(width) if not blank[p] and (p == 0 or blank[p - 1])]
    ends = [*starts[1:], width]
    spans: list[tuple[int, int]] = []
    for start, end in zip(starts, ends, strict=True):
        titled = bool(header[start:end].strip())
        filled = any(line[start:end].strip() for line in body)
        close = start > 0 and (start < 2 or not blank[start - 2])
        if spans and (not titled or (not filled and close)):
            spans[-1] = (spans[-1][0], end)  # a part of the column before it
        else:
            spans.append((start, end))
    names = [header[start:end].strip() for start, end in spans]
    touching = any(
        len(name.split()) > 1
        and all(len(line[start:end].split()) >= len(name.split()) for line in body)
        for name, (start, end) in zip(names, spans, strict=True)
    )
    if body and touching and all(len(row) >= count for row in split):
        # Columns touch each other somewhere: words tell them apart, and the last one takes the rest.
        return _table(
            [header[a:b] for a, b in words], [line.split(None, count - 1) for line in body]
        )
    return _table(names, [[line[start:end].strip() for start, end in spans] for line in body])


def _table(header: list[str], rows: list[list[str]]) -> pd.DataFrame:
    import pandas as pd

    names: list[str] = []
    for place, name in enumerate(header):
        plain = name or f"column{place + 1}"
        names.append(plain if plain not in names else f"{plain}_{place + 1}")
    filled = [[*row, *[""] * (len(header) - len(row))] for row in rows]
    columns = {name: _numbers([row[place] for row in filled]) for place, name in enumerate(names)}
    return pd.DataFrame(columns, columns=names)


def _numbers(values: list[str]) -> Any:
    """Return a column as numbers when all that is there are; a code such as `007` is none."""
    import pandas as pd

    there = [value for value in values if value not in _MISSING]
    if not there or not all(_NUMBER.fullmatch(value) for value in there):
        return [None if value in _MISSING else value for value in values]
    whole = all(re.fullmatch(r"-?\d{1,18}", value) for value in there)
    if len(there) == len(values):
        return [int(value) if whole else float(value) for value in values]
    if whole:
        return pd.array([int(v) if v not in _MISSING else None for v in values], dtype="Int64")
    return [float(value) if value not in _MISSING else None for value in values]
