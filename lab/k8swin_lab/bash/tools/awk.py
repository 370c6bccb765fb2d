"""awk: reads files record by record and runs a program over them (POSIX awk plus what mawk has)."""

from __future__ import annotations

import re

from k8swin_lab.bash.tools.awk_parser import Node, parse
from k8swin_lab.bash.tools.awk_state import State
from k8swin_lab.bash.tools.awk_values import (
    Value,
    formatted,
    is_true,
    looks_numeric,
    number,
    pattern,
    string,
    substituted,
)
from k8swin_lab.bash.tools.common import (
    ToolFault,
    options,
    put,
    read_all,
    text,
    tool,
    write_file,
)
from k8swin_lab.bash.tools.formatting import echo_escapes
from k8swin_lab.bash.tools.running import run_text
from k8swin_lab.machines.program import NotSimulated, Process


class _Next(Exception):
    pass


class _Exit(Exception):
    pass


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Return(Exception):
    def __init__(self, value: Value) -> None:
        self.value = value


class _Interpreter(State):
    """One run of a program."""

    def __init__(self, process: Process, program: Node, operands: list[str]) -> None:
        super().__init__(process, operands)
        self._rules = program[1]
        self._functions = program[2]

    # Running

    def run(self) -> int:
        try:
            for rule in self._rules:
                if rule[1] == "BEGIN":
                    self._block(rule[2])
            if any(rule[1] != "BEGIN" for rule in self._rules):
                self._main()
        except _Exit:
            pass
        try:
            for rule in self._rules:
                if rule[1] == "END":
                    self._block(rule[2])
        except _Exit:
            pass
        self._close_pipes()
        return self._code

    def _main(self) -> None:
        self._generator = self._records()
        for record in self._generator:
            self._take(record)
            try:
                for place, rule in enumerate(self._rules):
                    if rule[1] not in ("BEGIN", "END") and self._applies(place, rule[1]):
                        self._block(rule[2])
            except _Next:
                continue

    def _applies(self, place: int, given: Node | None) -> bool:
        if given is None:
            return True
        if given[0] != "range":
            return is_true(self._value(given))
        if not self._active.get(place):
            if not is_true(self._value(given[1])):
                return False
            self._active[place] = True
        if is_true(self._value(given[2])):
            self._active[place] = False
        return True

    # Statements

    def _block(self, statements: list[Node] | None) -> None:
        if statements is None:
            put(self._process, self._record + string(self._global("ORS")))
            return
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: Node) -> None:
        if self._process.cancelled.is_set():
            raise _Exit
        kind = node[0]
        if kind == "expression":
            self._value(node[1])
        elif kind in ("print", "printf"):
            self._print(node)
        elif kind == "block":
            self._block(node[1])
        elif kind == "if":
            if is_true(self._value(node[1])):
                self._statement(node[2])
            elif node[3]:
                self._statement(node[3])
        elif kind in ("while", "do", "for"):
            self._loop(node)
        elif kind == "for-in":
            for key in list(self._array(node[2])):
                self._assign(("variable", node[1]), looks_numeric(key))
                try:
                    self._statement(node[3])
                except _Break:
                    break
                except _Continue:
                    continue
        elif kind == "delete":
            if node[2] is None:
                self._array(node[1]).clear()
            else:
                self._array(node[1]).pop(self._key(node[2]), None)
        elif kind == "exit":
            if node[1] is not None:
                self._code = int(number(self._value(node[1]))) & 255
            raise _Exit
        elif kind == "return":
            raise _Return(self._value(node[1]) if node[1] is not None else "")
        else:
            raise {"next": _Next, "break": _Break, "continue": _Continue}[kind]

    def _loop(self, node: Node) -> None:
        kind = node[0]
        if kind == "for":
            if node[1]:
                self._statement(node[1])
            condition, step, body = node[2], node[3], node[4]
        else:
            condition, step, body = node[1], None, node[2]
        first = kind == "do"
        while first or condition is None or is_true(self._value(condition)):
            first = False
            try:
                self._statement(body)
            except _Break:
                return
            except _Continue:
                pass
            if step:
                self._statement(step)

    def _print(self, node: Node) -> None:
        kind, arguments, mark, target = node[0], node[1], node[2], node[3]
        values = [self._value(argument) for argument in arguments]
        if kind == "printf":
            line = formatted(string(values[0]), values[1:])
        elif not values:
            line = self._record + string(self._global("ORS"))
        else:
            form = string(self._global("OFMT"))
            line = string(self._global("OFS")).join(string(v, form) for v in values)
            line += string(self._global("ORS"))
        if not mark:
            put(self._process, line)
            return
        name = string(self._value(target))
        if mark == "|":
            self._pipes.setdefault(name, []).append(line)
        elif name == "/dev/stderr":
            self._process.err(line)
        elif name in ("/dev/stdout", "-"):
            put(self._process, line)
        else:
            append = mark == ">>" or name in self._outputs
            write_file(self._process, name, line.encode("utf-8", "surrogateescape"), append=append)
            self._outputs.add(name)

    def _close_pipes(self) -> None:
        for command in list(self._pipes):
            self._command(command, "".join(self._pipes.pop(command)))

    def _command(
        self, command: str, given: str | None, *, capture: bool = False
    ) -> tuple[int, str]:
        return run_text(self._process, command, given, capture=capture)

    # Expressions

    def _value(self, node: Node) -> Value:
        kind = node[0]
        if kind in ("number", "string"):
            result: Value = node[1]
            return result
        if kind == "regex":
            return float(bool(re.search(pattern(node[1]), self._record)))
        if kind == "field":
            return self._field(int(number(self._value(node[1]))))
        if kind == "variable":
            return self._variable(node[1])
        if kind == "index":
            return self._array(node[1]).setdefault(self._key(node[2]), "")
        if kind == "assign":
            return self._assigned(node)
        if kind == "conditional":
            return self._value(node[2] if is_true(self._value(node[1])) else node[3])
        if kind == "or":
            return float(is_true(self._value(node[1])) or is_true(self._value(node[2])))
        if kind == "and":
            return float(is_true(self._value(node[1])) and is_true(self._value(node[2])))
        if kind == "not":
            return float(not is_true(self._value(node[1])))
        if kind == "in":
            return float(self._key(node[1]) in self._array(node[2]))
        if kind == "match":
            found = re.search(self._pattern(node[3]), string(self._value(node[2])))
            return float(bool(found) == (node[1] == "~"))
        if kind == "compare":
            return self._compared(node[1], self._value(node[2]), self._value(node[3]))
        if kind == "concatenate":
            form = string(self._global("CONVFMT"))
            left = string(self._value(node[1]), form)
            return left + string(self._value(node[2]), form)
        if kind == "minus":
            return -number(self._value(node[1]))
        if kind == "plus":
            return number(self._value(node[1]))
        if kind == "step":
            return self._stepped(node)
        if kind == "call":
            return self._call(node)
        if kind == "getline":
            return self._getline(node)
        return self._calculated(kind, number(self._value(node[1])), number(self._value(node[2])))

    def _pattern(self, node: Node) -> str:
        return pattern(node[1] if node[0] == "regex" else string(self._value(node)))

    def _assigned(self, node: Node) -> Value:
        operator, target = node[1], node[2]
        value = self._value(node[3])
        if operator != "=":
            value = self._calculated(operator[0], number(self._value(target)), number(value))
        return self._assign(target, value)

    def _stepped(self, node: Node) -> Value:
        _, amount, target, before = node
        old = number(self._value(target))
        self._assign(target, old + amount)
        return old if before else old + amount

    @staticmethod
    def _calculated(operator: str, left: float, right: float) -> float:
        if operator in "/%" and not right:
            raise ToolFault("division by zero" if operator == "/" else "division by zero in %", 2)
        if operator == "+":
            return left + right
        if operator == "-":
            return left - right
        if operator == "*":
            return left * right
        if operator == "/":
            return left / right
        if operator == "^":
            return float(left**right)
        from math import fmod

        return fmod(left, right)

    @staticmethod
    def _compared(operator: str, left: Value, right: Value) -> float:
        one: str | float
        two: str | float
        texts = [v for v in (left, right) if isinstance(v, str) and not hasattr(v, "numeric")]
        if any(texts) or (len(texts) == 2):
            one, two = string(left), string(right)
        else:
            one, two = number(left), number(right)
        return float(
            {"<": one < two, "<=": one <= two, "==": one == two, "!=": one != two,  # type: ignore[operator]
             ">": one > two, ">=": one >= two}[operator]  # type: ignore[operator]
        )  # fmt: skip

    def _getline(self, node: Node) -> Value:
        _, target, mark, source = node
        if not mark:
            line = next(self._generator, None)
            if line is None:
                return 0.0
            self.globals["NR"] = number(self._global("NR")) + 1
            self.globals["FNR"] = number(self._global("FNR")) + 1
        else:
            name = string(self._value(source))
            if name not in self._readers:
                try:
                    data = (
                        self._command(name, None, capture=True)[1]
                        if mark == "|" else
                        text(read_all(self._process, name))
                    )  # fmt: skip
                except OSError:
                    return -1.0
                self._readers[name] = data.splitlines()
            if not self._readers[name]:
                return 0.0
            line = self._readers[name].pop(0)
            if mark == "|":
                self.globals["NR"] = number(self._global("NR")) + 1
        if target is None:
            self._set_record(line)
        else:
            self._assign(target, looks_numeric(line))
        return 1.0

    # Functions

    def _call(self, node: Node) -> Value:
        name, arguments = node[1], node[2]
        if name in self._functions:
            return self._own(name, arguments)
        if name in ("split", "sub", "gsub", "match", "length"):
            return self._with_nodes(name, arguments)
        values = [self._value(argument) for argument in arguments]
        texts = [string(value) for value in values]
        if name == "substr":
            return self._substr(texts[0], values)
        if name == "index":
            return float(texts[0].find(texts[1]) + 1)
        if name in ("tolower", "toupper"):
            return texts[0].lower() if name == "tolower" else texts[0].upper()
        if name == "sprintf":
            return formatted(texts[0], values[1:])
        if name == "int":
            return float(int(number(values[0])))
        if name == "system":
            return float(self._command(texts[0], None)[0])
        if name == "close":
            if texts[0] in self._pipes:
                self._command(texts[0], "".join(self._pipes.pop(texts[0])))
            self._readers.pop(texts[0], None)
            self._outputs.discard(texts[0])
            return 0.0
        if name == "fflush":
            return 0.0
        if name in ("sqrt", "exp", "log", "sin", "cos", "atan2"):
            import math

            return float(getattr(math, name)(*[number(value) for value in values]))
        if name in ("srand", "rand", "systime", "strftime"):
            return self._moment(name, texts)
        raise NotSimulated(f"awk {name}()")

    @staticmethod
    def _moment(name: str, texts: list[str]) -> Value:
        import random
        import time

        if name == "rand":
            return random.random()  # noqa: S311
        if name == "systime":
            return float(int(time.time()))
        if name == "strftime":
            moment = float(texts[1]) if len(texts) > 1 else time.time()
            return time.strftime(texts[0], time.localtime(moment))
        random.seed(texts[0] if texts else time.time())
        return 0.0

    @staticmethod
    def _substr(given: str, values: list[Value]) -> str:
        start = round(number(values[1]))
        end = len(given) + 1 if len(values) < 3 else start + round(number(values[2]))
        return given[max(start, 1) - 1 : max(end - 1, 0)]

    def _own(self, name: str, arguments: list[Node]) -> Value:
        parameters, body = self._functions[name]
        frame: dict[str, Value | dict[str, Value]] = {}
        created: list[tuple[str, str]] = []
        for place, parameter in enumerate(parameters):
            if place >= len(arguments):
                frame[parameter] = ""
                continue
            node = arguments[place]
            if node[0] == "variable" and isinstance(self._scope(node[1]).get(node[1]), dict):
                frame[parameter] = self._array(node[1])
            else:
                frame[parameter] = self._value(node)
                if node[0] == "variable" and node[1] not in self._scope(node[1]):
                    created.append((parameter, node[1]))
        caller = self._scope
        outer = {given: caller(given) for _, given in created}
        self._locals.append(frame)
        try:
            self._block(body)
        except _Return as leave:
            return leave.value
        finally:
            self._locals.pop()
            for parameter, given in created:
                # An unset variable that the function used as an array becomes one.
                if isinstance(frame[parameter], dict):
                    outer[given][given] = frame[parameter]
        return ""

    def _with_nodes(self, name: str, arguments: list[Node]) -> Value:
        if name == "length":
            if not arguments:
                return float(len(self._record))
            node = arguments[0]
            if node[0] == "variable" and isinstance(self._scope(node[1]).get(node[1]), dict):
                return float(len(self._array(node[1])))
            return float(len(string(self._value(node))))
        if name == "split":
            given = string(self._value(arguments[0]))
            separator = string(self._global("FS"))
            if len(arguments) > 2:
                third = arguments[2]
                separator = third[1] if third[0] == "regex" else string(self._value(third))
            array = self._array(arguments[1][1])
            array.clear()
            if separator == "" and given:
                parts = list(given)
            elif len(arguments) > 2 and arguments[2][0] == "regex" and given:
                parts = re.split(pattern(separator), given)
            else:
                parts = self._separated(given, separator)
            for place, part in enumerate(parts, 1):
                array[str(place)] = looks_numeric(part)
            return float(len(parts))
        if name == "match":
            found = re.search(self._pattern(arguments[1]), string(self._value(arguments[0])))
            self.globals["RSTART"] = float(found.start() + 1) if found else 0.0
            self.globals["RLENGTH"] = float(len(found[0])) if found else -1.0
            return self._global("RSTART")
        target = arguments[2] if len(arguments) > 2 else ("field", ("number", 0.0))
        replaced, count = substituted(
            self._pattern(arguments[0]), string(self._value(arguments[1])),
            string(self._value(target)), everywhere=name == "gsub",
        )  # fmt: skip
        if count:
            self._assign(target, replaced)
        return float(count)


def _awk(process: Process) -> int:
    found, operands = options(process, "", "Fvf", permute=False, code=2)
    if "f" in found:
        with_text = [text(read_all(process, p))
                     for p in found["f"]]  # fmt: skip
        source = "\n".join(with_text)
    elif operands:
        source = operands.pop(0)
    else:
        process.err("usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]\n")
        return 2
    interpreter = _Interpreter(process, parse(source), operands)
    if "F" in found:
        given = found.last("F").replace("\\t", "\t")
        interpreter.globals["FS"] = "\t" if given == "t" else given
    for assignment in found.get("v", []):
        name, _, value = assignment.partition("=")
        interpreter.globals[name] = looks_numeric(echo_escapes(value)[0])
    return interpreter.run()


TOOLS = {name: tool(_awk) for name in ("awk", "mawk")}
