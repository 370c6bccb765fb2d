"""What commands print, read as tables. The outputs are those of coreutils 9, procps 4, util-linux 2.39, docker 27 and kubectl 1.31."""

from __future__ import annotations

import pandas as pd
import pytest

from k8swin_nb.durations import seconds, told
from k8swin_nb.errors import ScriptError
from k8swin_nb.output_frames import frame_of, one_frame
from k8swin_nb.result import Result

DF = """Filesystem     1K-blocks    Used Available Use% Mounted on
/dev/vda1       20134592 5242880  14891712  27% /
tmpfs            2015032       0   2015032   0% /dev/shm
"""
PS = """USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND
root           1  0.0  0.1 167744 12800 ?        Ss   Nov29   0:03 /sbin/init splash
www-data    1204  1.5  0.4 712000 45000 ?        Sl   10:02   1:13 nginx: worker process
"""
DOCKER = """CONTAINER ID   IMAGE     COMMAND       CREATED       STATUS       PORTS     NAMES
d9b100f2f636   nginx:1   "nginx -g"    2 hours ago   Up 2 hours   80/tcp    web
a1b2c3d4e5f6   redis     "redis-ser"   3 days ago    Up 3 days              cache
"""
PODS = """NAME    READY   STATUS    RESTARTS      AGE   NODE
web-1   1/1     Running   2 (3m ago)    5d    <none>
web-2   1/1     Running   0             5d    win1
"""


@pytest.mark.parametrize(
    ("text", "columns", "last"),
    [
        (DF, "Filesystem|1K-blocks|Used|Available|Use%|Mounted on", "/dev/shm"),
        (PS, "USER|PID|%CPU|%MEM|VSZ|RSS|TTY|STAT|START|TIME|COMMAND", "nginx: worker process"),
        (DOCKER, "CONTAINER ID|IMAGE|COMMAND|CREATED|STATUS|PORTS|NAMES", "cache"),
        (PODS, "NAME|READY|STATUS|RESTARTS|AGE|NODE", "win1"),
        ("a b\n1 x\n22 yy\n", "a|b", "yy"),
    ],
)
def test_columns_under_a_header(text: str, columns: str, last: str) -> None:
    frame = frame_of(text)
    assert "|".join(frame.columns) == columns and frame.iloc[-1, -1] == last


def test_numbers_are_numbers_and_what_is_missing_is_missing() -> None:
    assert frame_of(DF)["Used"].sum() == 5242880 and frame_of(PS)["%CPU"].max() == 1.5
    assert pd.isna(frame_of(PODS)["NODE"][0]) and frame_of(DOCKER)["PORTS"].isna().tolist() == [
        False,
        True,
    ]
    frame = frame_of("id,n\n007,1\n008,\n")
    assert frame["id"].tolist() == ["007", "008"] and frame["n"].dtype == "Int64"


def test_json_csv_and_tsv() -> None:
    assert frame_of('{"a": 1}').to_dict("list") == {"a": [1]}
    assert frame_of('{"a": 1}\n{"a": 2, "b": null}\n')["a"].tolist() == [1, 2]
    assert frame_of("[1, 2]")["value"].tolist() == [1, 2]
    listed = frame_of('{"kind": "List", "items": [{"metadata": {"name": "x"}}]}')
    assert listed["metadata.name"].tolist() == ["x"]
    assert frame_of('name,said\nx,"a, b"\n')["said"].tolist() == ["a, b"]
    assert frame_of("a b\tc\n1\t2\n").columns.tolist() == ["a b", "c"]
    assert frame_of("a;b\n", "csv").columns.tolist() == ["a;b"]
    assert frame_of("").empty and frame_of(" \n").empty


def test_what_is_no_table_is_told_with_its_host() -> None:
    with pytest.raises(ScriptError, match=r"h: `x` printed no table: it is no JSON"):
        _ = Result("x", 0, "[1, 2", "", "h", 0.0).df
    with pytest.raises(ValueError, match="a line has 3 fields, the header 2"):
        frame_of("a,b\n1,2,3\n", "csv")


def test_tables_of_several_hosts_are_one() -> None:
    frame = one_frame({"a": frame_of("x\n1\n"), "b": frame_of("x,y\n2,z\n"), "c": frame_of("")})
    assert frame["host"].tolist() == ["a", "b"] and frame["x"].tolist() == [1, 2]
    assert one_frame({"a": frame_of("")}).columns.tolist() == ["host"]
    assert one_frame({"a": frame_of("host,x\nq,1\n")}).columns.tolist() == ["host", "host_", "x"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("250ms", 0.25),
        (" 1D ", 86400),
    ],
)
def test_a_time_is_seconds_or_units(text: str, value: float) -> None:
    assert seconds(text) == value


def test_what_is_no_time_is_told() -> None:
    for text in ("", "0", "-5", "5x", "1h30", "m", "1m1m", "nan", "inf", "400d"):
        with pytest.raises(ValueError, match=r"is no time|names a unit twice"):
            seconds(text)
    assert [told(value) for value in (0.25, 12, 130, 3600, 3900)] == [
        "0.25 s",
        "12 s",
        "2 min 10 s",
        "1 h",
        "1 h 5 min",
    ]
