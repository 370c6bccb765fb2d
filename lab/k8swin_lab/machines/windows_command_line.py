"""A command line of Windows, which a program gets whole and cuts into words itself."""

from __future__ import annotations


def split_command_line(line: str) -> list[str]:
    """A Windows command line as the C runtime of the started program cuts it."""
    result: list[str] = []
    current: list[str] | None = None
    inside = False
    index = 0
    while index < len(line):
        char = line[index]
        if char == "\\":
            end = index
            while end < len(line) and line[end] == "\\":
                end += 1
            count = end - index
            current = current if current is not None else []
            if end < len(line) and line[end] == '"':
                current.append("\\" * (count // 2))
                if count % 2:
                    current.append('"')
                    end += 1
            else:
                current.append("\\" * count)
            index = end
            continue
        if char == '"':
            current = current if current is not None else []
            if inside and line[index + 1 : index + 2] == '"':
                current.append('"')
                index += 1
            else:
                inside = not inside
        elif char in " \t" and not inside:
            if current is not None:
                result.append("".join(current))
                current = None
        else:
            current = current if current is not None else []
            current.append(char)
        index += 1
    if current is not None:
        result.append("".join(current))
    return result
