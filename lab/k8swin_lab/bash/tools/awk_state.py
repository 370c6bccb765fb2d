"""What an awk program works on: records, fields, variables and arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8swin_lab.bash.tools.awk_parser import Node
from k8swin_lab.bash.tools.awk_values import (
    Value,
    looks_numeric,
    number,
    pattern,
    string,
)
from k8swin_lab.bash.tools.common import (
    open_input,
    reason,
    stream_lines,
    text,
)
from k8swin_lab.machines.program import Process, Reader

Array = dict[str, Value]


class State:
    """Input and variables of one run; how expressions are computed is the business of `awk`."""

    def __init__(self, process: Process, operands: list[str]) -> None:
        self._process = process
        self._operands = operands
        self.globals: dict[str, Value | dict[str, Value]] = {
            "NR": 0.0, "FNR": 0.0, "NF": 0.0, "FS": " ", "OFS": " ", "ORS": "\n", "RS": "\n",
            "FILENAME": "", "SUBSEP": "\x1c", "RSTART": 0.0, "RLENGTH": -1.0, "CONVFMT": "%.6g",
            "OFMT": "%.6g",
            "ENVIRON": {name: looks_numeric(value) for name, value in process.env.items()},
            "ARGC": float(len(operands) + 1),
            "ARGV": {str(n): looks_numeric(t) for n, t in enumerate(["awk", *operands])},
        }  # fmt: skip
        self._locals: list[dict[str, Value | dict[str, Value]]] = []
        self._record = ""
        self._fields: list[str] = []
        self._split = True
        self._code = 0
        self._active: dict[int, bool] = {}
        self._outputs: set[str] = set()
        self._pipes: dict[str, list[str]] = {}
        self._readers: dict[str, list[str]] = {}
        self._generator: Iterator[str] = iter(())

    def _take(self, record: str) -> None:
        self.globals["NR"] = number(self._global("NR")) + 1
        self.globals["FNR"] = number(self._global("FNR")) + 1
        self._set_record(record)

    def _global(self, name: str) -> Value:
        value = self.globals.get(name, "")
        return "" if isinstance(value, dict) else value

    def _records(self) -> Iterator[str]:
        used = False
        for operand in self._operands:
            assigned = re.fullmatch(r"([A-Za-z_]\w*)=(.*)", operand, re.S)
            if assigned:
                self.globals[assigned[1]] = looks_numeric(assigned[2])
                continue
            used = True
            try:
                reader = open_input(self._process, operand)
                self.globals["FILENAME"] = operand
                self.globals["FNR"] = 0.0
                yield from self._split_records(reader)
            except OSError as error:
                if isinstance(error, BrokenPipeError):
                    raise
                self._process.err(f"awk: cannot open {operand} ({reason(error)})\n")
                self._code = 2
        if not used:
            yield from self._split_records(self._process.stdin)

    def _split_records(self, reader: Reader) -> Iterator[str]:
        separator = string(self._global("RS"))
        if separator == "\n":
            for line in stream_lines(reader):
                decoded = text(line)
                yield decoded[:-1] if decoded.endswith("\n") else decoded
            return
        data = text(b"".join(iter(lambda: reader.read(65536), b"")))
        if separator == "":
            for block in re.split(r"\n\n+", data.strip("\n")):
                if block:
                    yield block
            return
        parts = re.split(pattern(separator), data) if len(separator) > 1 else data.split(separator)
        if parts and parts[-1] in ("", "\n"):
            parts.pop()
        yield from parts

    def _set_record(self, record: str) -> None:
        self._record = record
        self._split = False

    def _all_fields(self) -> list[str]:
        if not self._split:
            self._fields = self._separated(self._record, string(self._global("FS")))
            self._split = True
            self.globals["NF"] = float(len(self._fields))
        return self._fields

    def _separated(self, record: str, separator: str) -> list[str]:
        if not record:
            return []
        if separator == " ":
            return record.split()
        if string(self._global("RS")) == "":
            return re.split(f"(?:{pattern(separator)})|\n", record)
        if len(separator) == 1 and separator not in "\\":
            return record.split(separator)
        return re.split(pattern(separator), record)

    def _field(self, place: int) -> Value:
        if place == 0:
            return looks_numeric(self._record)
        fields = self._all_fields()
        return looks_numeric(fields[place - 1]) if place <= len(fields) else ""

    def _set_field(self, place: int, value: Value) -> None:
        if place == 0:
            self._set_record(string(value))
            return
        fields = self._all_fields()
        fields.extend([""] * (place - len(fields)))
        fields[place - 1] = string(value, string(self._global("CONVFMT")))
        self.globals["NF"] = float(len(fields))
        self._record = string(self._global("OFS")).join(fields)

    def _scope(self, name: str) -> dict[str, Value | dict[str, Value]]:
        if self._locals and name in self._locals[-1]:
            return self._locals[-1]
        return self.globals

    def _array(self, name: str) -> dict[str, Value]:
        scope = self._scope(name)
        value = scope.get(name)
        if isinstance(value, dict):
            return value
        made: dict[str, Value] = {}
        scope[name] = made
        return made

    def _variable(self, name: str) -> Value:
        if name == "NF":
            self._all_fields()
        value = self._scope(name).get(name, "")
        return "" if isinstance(value, dict) else value

    def _assign(self, target: Node, value: Value) -> Value:
        if target[0] == "field":
            self._set_field(int(number(self._value(target[1]))), value)
        elif target[0] == "index":
            self._array(target[1])[self._key(target[2])] = value
        else:
            name = target[1]
            if name == "NF":
                fields = self._all_fields()
                count = int(number(value))
                fields[:] = (fields + [""] * count)[:count]
                self._record = string(self._global("OFS")).join(fields)
            self._scope(name)[name] = value
        return value

    def _key(self, parts: list[Node]) -> str:
        joiner = string(self._global("SUBSEP"))
        return joiner.join(string(self._value(part)) for part in parts)

    def _value(self, node: Node) -> Value:
        """Compute an expression."""
        raise NotImplementedError
