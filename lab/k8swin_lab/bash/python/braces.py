"""Brace expansion, which comes before all others and looks at unquoted characters only."""

from __future__ import annotations

import re

from k8swin_lab.bash.python.syntax import Literal, Part

_SEQUENCE = re.compile(r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?")


def brace_expanded(parts: tuple[Part, ...]) -> list[tuple[Part, ...]]:
    """Return the words a word becomes; itself alone when it holds no brace expression."""
    if not any(isinstance(p, Literal) and not p.quoted and "{" in p.text for p in parts):
        return [parts]
    atoms: list[Part | str] = []
    for part in parts:
        if isinstance(part, Literal) and not part.quoted:
            atoms.extend(part.text)
        else:
            atoms.append(part)
    return [_assembled(word) for word in _expand(atoms)]


def _assembled(atoms: list[Part | str]) -> tuple[Part, ...]:
    result: list[Part] = []
    text = ""
    for atom in atoms:
        if isinstance(atom, str):
            text += atom
            continue
        if text:
            result.append(Literal(text))
            text = ""
        result.append(atom)
    if text:
        result.append(Literal(text))
    return tuple(result)


def _expand(atoms: list[Part | str]) -> list[list[Part | str]]:
    for start, atom in enumerate(atoms):
        if atom != "{":
            continue
        found = _group(atoms, start)
        if found is None:
            continue
        alternatives, end = found
        tails = _expand(atoms[end:])
        return [
            [*atoms[:start], *middle, *tail]
            for alternative in alternatives
            for middle in _expand(alternative)
            for tail in tails
        ]
    return [atoms]


def _group(atoms: list[Part | str], start: int) -> tuple[list[list[Part | str]], int] | None:
    depth = 0
    pieces: list[list[Part | str]] = [[]]
    for at in range(start, len(atoms)):
        atom = atoms[at]
        if atom == "{":
            depth += 1
            if depth == 1:
                continue
        elif atom == "}":
            depth -= 1
            if not depth:
                if len(pieces) > 1:
                    return pieces, at + 1
                sequence = _sequence(pieces[0])
                return (sequence, at + 1) if sequence is not None else None
        if atom == "," and depth == 1:
            pieces.append([])
        else:
            pieces[-1].append(atom)
    return None


def _sequence(atoms: list[Part | str]) -> list[list[Part | str]] | None:
    if not all(isinstance(atom, str) for atom in atoms):
        return None
    found = _SEQUENCE.fullmatch("".join(str(atom) for atom in atoms))
    if not found:
        return None
    first, last, step_text = found.groups()
    letters = first.isalpha()
    if letters != last.isalpha():
        return None
    begin, end = (ord(first), ord(last)) if letters else (int(first), int(last))
    step = abs(int(step_text)) if step_text and int(step_text) else 1
    numbers = range(begin, end + 1, step) if begin <= end else range(begin, end - 1, -step)
    width = 0
    if not letters and any(re.match(r"-?0\d", text) for text in (first, last)):
        width = max(len(first), len(last))
    return [[chr(n) if letters else f"{n:0{width}d}"] for n in numbers]
