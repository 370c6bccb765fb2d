"""Wildcard patterns: * ? [a-z], as cmdlets, operators and types match names."""

from __future__ import annotations

import re
from functools import lru_cache

from k8swin_lab.powershell.errors import runtime_error


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
            end = pattern.find("]", index + 1)
            if end < 0:
                raise runtime_error(
                    f"The specified wildcard character pattern is not valid: {pattern}",
                    "RuntimeException",
                    category="NotSpecified",
                    exception="System.Management.Automation.WildcardPatternException",
                )
            body = pattern[index + 1 : end].replace("\\", "\\\\").replace("^", "\\^")
            result.append(f"[{body}]")
            index = end
        else:
            result.append(re.escape(char))
        index += 1
    return re.compile("".join(result), re.DOTALL | (re.IGNORECASE if ignore_case else 0))
