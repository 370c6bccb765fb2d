"""Parameter binding: a command's arguments to its parameters, for functions and cmdlets alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.binding_errors import not_taken
from k8swin_lab.powershell.dotnet.castability import shown
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.parameters import (
    ALL_SETS,
    Argument,
    Bound,
    ParameterName,
    Spec,
    delays,
    gathered,
    respelled,
    takes_several,
)
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.values import PSArray

_BINDING = "System.Management.Automation.ParameterBindingException"
COMMON_PARAMETERS: dict[str, str] = {
    "Verbose": "switch", "Debug": "switch", "ErrorAction": "action", "WarningAction": "action",
    "InformationAction": "action", "ProgressAction": "action", "ErrorVariable": "string",
    "WarningVariable": "string", "InformationVariable": "string", "OutVariable": "string",
    "OutBuffer": "int", "PipelineVariable": "string",
}  # fmt: skip
SHOULD_PROCESS_PARAMETERS = {"WhatIf": "switch", "Confirm": "switch"}
_COMMON_ALIASES = {
    "vb": "Verbose", "db": "Debug", "ea": "ErrorAction", "wa": "WarningAction", "infa": "InformationAction",
    "ev": "ErrorVariable", "wv": "WarningVariable", "iv": "InformationVariable", "ov": "OutVariable",
    "ob": "OutBuffer", "pv": "PipelineVariable", "wi": "WhatIf", "cf": "Confirm",
}  # fmt: skip


def _full_name(spec: Spec | str) -> str:
    """The type that a parameter without an argument wants."""
    name = None if isinstance(spec, str) else spec.type
    return (dotnet.resolve_type(name) or name) if name else "System.Object"


def _has_type(spec: Spec, value: Any) -> bool:
    """Whether an argument needs no conversion."""
    name = dotnet.resolve_type(spec.type) if spec.type else "System.Object"
    return name is not None and (name == "System.Object" or dotnet.is_instance(value, name))


class Binder:
    """Binds to one command's parameters."""

    def __init__(
        self,
        name: str,
        specs: list[Spec],
        *,
        advanced: bool,
        should_process: bool = False,
        default_set: str = "",
        error_suffix: str = "",
        gathers: Callable[[list[Any]], Any] | None = None,
        missing: Mapping[str, str] | None = None,
        compiled: bool = False,
    ) -> None:
        """`missing`: folded names, each with the name itself, of parameters that only the real command has.

        `compiled`: the command is a cmdlet.
        """
        self.compiled = compiled
        self.name = name
        self.lacking = missing or {}
        self.specs = specs
        self.advanced = advanced
        self.default_set = default_set
        self.error_suffix = f",{error_suffix or name}" if error_suffix or name else ""
        self.gathers = gathers
        self.common = dict(COMMON_PARAMETERS) if advanced else {}
        if should_process:
            self.common.update(SHOULD_PROCESS_PARAMETERS)
        self.by_name: dict[str, Spec] = {}
        for spec in specs:
            self.by_name[spec.name.lower()] = spec
            for alias in spec.aliases:
                self.by_name[alias.lower()] = spec
        self.set_names = sorted({s for spec in specs for s in spec.sets} - {ALL_SETS.lower()})
        self.accepts_pipeline = any(
            s.by_value or s.by_property for spec in specs for s in [spec, *spec.sets.values()]
        )

    def error(
        self,
        error_id: str,
        message: str,
        *,
        target: Any = None,
        category: str = "InvalidArgument",
    ) -> PowerShellError:
        """A binding error, named after the command."""
        made = runtime_error(
            message,
            f"{error_id}{self.error_suffix}",
            category=category,
            # Only what came down the pipeline is a target; a parameter is in the exception.
            target=target if error_id == "InputObjectNotBound" else None,
            exception=_BINDING,
            activity=self.name,
        )
        named = target if error_id != "InputObjectNotBound" else None
        made.record.exception.properties["ParameterName"] = named
        return made

    def find(self, name: str) -> Spec | str | None:
        """A parameter by name, alias or unambiguous beginning; a common one is given as its name."""
        folded = name.lower()
        if folded in self.by_name:
            return self.by_name[folded]
        if self.common:
            for common in self.common:
                if common.lower() == folded:
                    return common
            alias = _COMMON_ALIASES.get(folded)
            if alias is not None and alias in self.common:
                return alias
        if folded in self.lacking:
            raise NotSimulated(f"{self.name} -{self.lacking[folded]}")
        matches: dict[str, Spec | str] = {
            spec.name: spec for key, spec in self.by_name.items() if key.startswith(folded)
        }
        absent = [name for key, name in self.lacking.items() if key.startswith(folded)]
        if absent and not matches and len(set(absent)) == 1:
            raise NotSimulated(f"{self.name} -{absent[0]}")
        matches.update((name, name) for name in absent if name not in matches)
        if not matches:
            matches = {c: c for c in self.common if c.lower().startswith(folded)}
        if len(matches) > 1:
            matches.update((c, c) for c in self.common if c.lower().startswith(folded))
            listed = " ".join(f"-{m}" for m in matches)
            raise self.error(
                "AmbiguousParameter",
                f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. "
                f"Possible matches include: {listed}.",
                target=name,
            )
        return next(iter(matches.values()), None)

    def bind(self, arguments: list[Argument], *, expecting_input: bool = False) -> Bound:
        """Named arguments first, then the others by position.

        Args:
            arguments: as they stand on the command line.
            expecting_input: whether pipeline objects follow, for which script blocks are delayed.
        """
        bound = Bound(delays=expecting_input)
        positional: list[Argument] = []
        named: list[tuple[Spec | str, Any, Argument]] = []
        unknown: list[str] = []
        index = 0
        only_values = False
        while index < len(arguments):
            argument = arguments[index]
            index += 1
            if argument.name is None or only_values:
                positional.append(argument)
                continue
            if argument.name == "-" and argument.text == "--":
                only_values = True
                continue
            spec = self.find(argument.name)
            if spec is None:
                if self.advanced:
                    unknown.append(argument.name)
                word = ParameterName(argument.text or argument.name)
                positional.append(Argument(None, word, claimed=True))
                if argument.attached:
                    positional.append(Argument(None, argument.value, claimed=True))
                elif index < len(arguments) and arguments[index].name is None:
                    positional.append(replace(arguments[index], claimed=True))
                    index += 1
                continue
            is_switch = (
                self.common.get(spec) == "switch" if isinstance(spec, str) else spec.is_switch
            )
            value: Any
            source = argument
            if argument.attached:
                value = argument.value
            elif is_switch:
                value = True
            elif index < len(arguments) and arguments[index].name is None:
                source = arguments[index]
                value = source.value
                index += 1
            elif self._follows_unknown(arguments, index):
                following = arguments[index]
                value = ParameterName(following.text or f"-{following.name}")
                index += 1
            else:
                label = spec if isinstance(spec, str) else spec.name
                raise self.error(
                    "MissingArgument",
                    f"Missing an argument for parameter '{label}'. Specify a parameter of type "
                    f"'{_full_name(spec)}' and try again.",
                    target=label,
                )
            named.append((spec, value, source))
        for spec, value, source in named:
            bound.order.append(spec if isinstance(spec, str) else spec.name)
            self._store(bound, spec, value, source)
        self._positional(bound, positional, unknown)
        return bound

    def _follows_unknown(self, arguments: list[Argument], index: int) -> bool:
        """Whether a word that looks like a parameter, and is none, comes next: it is a value then."""
        if index >= len(arguments):
            return False
        following = arguments[index]
        named = following.name is not None and not following.attached and following.text != "--"
        return named and self.find(str(following.name)) is None

    def _not_found(self, name: str) -> PowerShellError:
        return self.error(
            "NamedParameterNotFound",
            f"A parameter cannot be found that matches parameter name '{name}'.",
            target=name,
        )

    def _twice(self, spec: Spec) -> PowerShellError:
        return self.error(
            "ParameterAlreadyBound",
            f"Cannot bind parameter because parameter '{spec.name}' is specified more than once. To "
            "provide multiple values to parameters that can accept multiple values, use the array "
            'syntax. For example, "-parameter value1,value2,value3".',
            target=spec.name,
        )

    def _store(self, bound: Bound, spec: Spec | str, value: Any, source: Argument) -> None:
        if isinstance(spec, str):
            bound.common[spec] = value
            return
        if spec.name in bound.values:
            raise self._twice(spec)
        if bound.delays and isinstance(value, ScriptBlock) and delays(spec):
            bound.delayed[spec.name] = value
            return
        if self.advanced and isinstance(value, ScriptBlock) and delays(spec):
            raise self.error(
                "ScriptBlockArgumentNoInput",
                f"Cannot evaluate parameter '{spec.name}' because its argument is specified as a script "
                "block and there is no input. A script block cannot be evaluated without input.",
                target=spec.name,
                category="MetadataError",
            )
        bound.values[spec.name] = self.converted(spec, respelled(spec, value, source))

    def converted(self, spec: Spec, value: Any) -> Any:
        """The value as the parameter's type, or a binding error."""
        if spec.convert is None:
            return value
        try:
            return spec.convert(value)
        except PowerShellError as error:
            if error.record.error_id == "TypeNotFound":
                raise
            raise not_taken(
                error, spec.name, self.name, self.error_suffix, compiled=self.compiled
            ) from error

    def _positional(self, bound: Bound, arguments: list[Argument], unknown: list[str]) -> None:
        last: int | None = None
        while arguments:
            groups = self.positional_groups(bound.values)
            free = [position for position in sorted(groups) if last is None or position > last]
            place = next((i for i, a in enumerate(arguments) if not a.claimed), None)
            self._refuse_shared(groups)
            if not free or place is None:
                break
            last = free[0]
            group = [spec for spec in groups[last] if not spec.remaining]
            if group:
                self._store_in_one(bound, group, arguments.pop(place))
        if not arguments:
            return
        if self.advanced and not self.accepts_pipeline:
            self.resolve_set(bound.values)  # that no set is chosen is said first
        valid = self.candidate_sets(bound.values)
        for spec in self.specs:
            there = not valid or any(spec.in_set(name) for name in valid)
            if there and spec.remaining and spec.name not in bound.values:
                values: Any = PSArray(
                    [
                        a.text
                        if a.text and spec.type and "string" in spec.type.lower()
                        else a.value
                        for a in arguments
                    ]
                )
                if len(values) == 1 and isinstance(values[0], list):
                    values = PSArray(values[0])
                elif self.gathers is not None and not takes_several(spec):
                    values = self.gathers(values)
                bound.values[spec.name] = self.converted(spec, values)
                return
        if self.advanced:
            first = arguments[0].value
            if unknown and isinstance(first, ParameterName):
                raise self._not_found(unknown[0])
            text = arguments[0].text or ("$null" if first is None else shown(first))
            raise self.error(
                "PositionalParameterNotFound",
                f"A positional parameter cannot be found that accepts argument '{text}'.",
                target=text,
            )
        bound.rest = [a.value for a in arguments]

    def _refuse_shared(self, groups: dict[int, list[Spec]]) -> None:
        """A position of a set belongs to one parameter."""
        for group in groups.values():
            seen: set[str] = set()
            for spec in group:
                own = set(spec.sets) or {ALL_SETS.lower()}
                if spec.remaining:
                    continue
                if own & seen:
                    raise self.error(
                        "AmbiguousPositionalParameterNoName",
                        "Cannot bind positional parameters because no names were given.",
                    )
                seen |= own

    def _store_in_one(self, bound: Bound, group: list[Spec], argument: Argument) -> None:
        """Bind to the parameter of a position: of several sets' ones the first that has the type, or takes it."""
        exact = [spec for spec in group if len(group) == 1 or _has_type(spec, argument.value)]
        first: PowerShellError | None = None
        for spec in [*exact, *(spec for spec in group if spec not in exact)]:
            try:
                self._store(bound, spec, gathered(spec, argument.value), argument)
                return
            except PowerShellError as error:
                first = first or error
        assert first is not None  # noqa: S101 - a group has a parameter
        raise first

    def positional_groups(self, taken: dict[str, Any]) -> dict[int, list[Spec]]:
        """Parameters that arguments without a name go to, by position; the default set's come first."""
        candidates = self.candidate_sets(taken)
        preferred = self.default_set.lower() if self.default_set.lower() in candidates else ""
        order = [preferred] if preferred else []
        order += [c for c in candidates if c != preferred]
        found: dict[int, list[Spec]] = {}
        for set_name in order or [""]:
            for spec in self.specs:
                facts = spec.in_set(set_name) if set_name else spec
                if spec.name in taken or facts is None or facts.position is None:
                    continue
                group = found.setdefault(facts.position, [])
                if spec not in group:
                    group.append(spec)
        return found

    # --- parameter sets

    def candidate_sets(self, taken: dict[str, Any]) -> list[str]:
        """Names (lower case) of the sets that hold everything bound so far."""
        candidates = list(self.set_names)
        for spec in self.specs:
            if spec.name in taken and spec.sets and ALL_SETS.lower() not in spec.sets:
                candidates = [c for c in candidates if c in spec.sets]
        return candidates

    def _chooses(self, taken: dict[str, Any]) -> bool:
        """Whether one of the bound parameters is not in all sets."""
        return any(
            spec.name in taken and spec.sets and ALL_SETS.lower() not in spec.sets
            for spec in self.specs
        )

    def resolve_set(self, taken: dict[str, Any], *, expecting_input: bool = False) -> str:
        """The parameter set in force; raises when what is bound fits none.

        Args:
            taken: the bound parameters.
            expecting_input: whether an object of the pipeline may yet choose among several sets.
        """
        if not self.set_names:
            return self.default_set or ALL_SETS
        candidates = self.candidate_sets(taken)
        default = self.default_set.lower()
        if default and default not in self.set_names and not self._chooses(taken):
            # a default set that no parameter names holds until a parameter of another set is given
            return self.default_set
        if not candidates:
            raise self.error(
                "AmbiguousParameterSet",
                "Parameter set cannot be resolved using the specified named parameters.",
            )
        complete = [
            c
            for c in candidates
            if all(
                spec.name in taken or not (facts := spec.in_set(c)) or not facts.mandatory
                for spec in self.specs
            )
        ]
        if len(candidates) > 1 and default in candidates:
            return self.default_set
        pick = complete or candidates
        waiting = [c for c in candidates if expecting_input and self._open_to_input(c, taken)]
        if waiting and len(pick) > 1 and not default:
            pick = waiting  # an object of the pipeline may yet tell
        elif len(pick) > 1 and not default:
            raise self.error(
                "AmbiguousParameterSet",
                "Parameter set cannot be resolved using the specified named parameters.",
            )
        names = {s.lower(): s for spec in self.specs for s in (v.name for v in spec.sets.values())}
        return names.get(pick[0], pick[0])

    def _open_to_input(self, set_name: str, taken: dict[str, Any]) -> bool:
        """Whether a parameter of a set still takes an object of the pipeline."""
        return any(
            spec.name not in taken
            and (facts := spec.in_set(set_name)) is not None
            and (facts.by_value or facts.by_property)
            for spec in self.specs
        )

    def require(self, bound: Bound, *, expecting_input: bool) -> None:
        """Check that mandatory parameters have a value (or will get one from the pipeline)."""
        bound.set_name = self.resolve_set(bound.values, expecting_input=expecting_input)
        missing = []
        for spec in self.specs:
            facts = spec.in_set(bound.set_name) if self.set_names else spec
            if facts is None or not facts.mandatory or spec.name in bound.values:
                continue
            if expecting_input and (facts.by_value or facts.by_property):
                continue
            if spec.name not in bound.delayed:
                missing.append(spec.name)
        if missing and expecting_input:
            # an object of the pipeline may yet choose another set
            others = (
                c for c in self.candidate_sets(bound.values) if self._open_to_input(c, bound.values)
            )
            if (chosen := next(others, None)) not in (None, bound.set_name.lower()):
                bound.set_name = str(chosen)
                return
        if missing:
            raise self.missing(missing)
        alone = len(self.set_names) == 1 and not self.default_set
        if alone and not expecting_input and not self._chooses(bound.values):
            bound.set_name = ALL_SETS

    def missing(self, names: list[str]) -> PowerShellError:
        """The error of mandatory parameters without a value (nobody is there to be asked)."""
        return self.error(
            "MissingMandatoryParameter",
            f"Cannot process command because of one or more missing mandatory parameters: {' '.join(names)}.",
            target="".join(f" {name}" for name in names),
        )
