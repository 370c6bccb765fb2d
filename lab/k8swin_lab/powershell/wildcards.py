"""Wildcard patterns: * ? [a-z], as cmdlets, operators and types match names."""

from __future__ import annotations

import re
from functools import lru_cache

from k8swin_lab.powershell.errors import PowerShellError, runtime_error


@lru_cache(maxsize=512)
def wildcard(pattern: str, ignore_case: bool = True) -> re.Pattern[str]:
    """A pattern with * ? [a-z] and backtick escapes as a regular expression."""
    result: list[str] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if char == "`" and index + 1 < len(pattern):
            index += 1
            result.append(re.escape(pattern[index]))
        elif char == "*":
            result.append(".*")
        elif char == "?":
            result.append(".")
        elif char == "[":
            end = pattern.find("]", index + 2)  # a bracket that is the first one is of the class
            if end < 0:
                raise _not_valid(pattern)
            body = re.sub(r"[\\^\[\]&~|]", r"\\\g<0>", pattern[index + 1 : end])
            result.append(f"[{body}]")
            index = end
        else:
            result.append(re.escape(char))
        index += 1
    try:
        return re.compile("".join(result), re.DOTALL | (re.IGNORECASE if ignore_case else 0))
    except re.error as error:  # a range whose end is before its beginning
        raise _not_valid(pattern) from error


def _not_valid(pattern: str) -> PowerShellError:
    return runtime_error(
        f"The specified wildcard character pattern is not valid: {pattern}",
        "RuntimeException",
        category="NotSpecified",
        exception="System.Management.Automation.WildcardPatternException",
    )
