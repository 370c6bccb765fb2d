"""Which PowerShell scripts may share a process with others: those that look and leave nothing behind.

A process holds more than a script's variables: its environment, types, handles, culture, the standard input that
programs inherit. None of that can be put back for every script, so that a script shares a process only when its
text shows that it touches none of it. What is not understood here gets a process of its own; nothing is lost by that
but time. A script that looks may be run again, should the shared process be gone before it began.
"""

from __future__ import annotations

import re
from functools import lru_cache

_COMMANDS = """
get-acl get-childitem get-ciminstance get-command get-computerinfo get-content get-culture get-date get-disk
get-dnsclientserveraddress get-eventlog get-filehash get-hnsendpoint get-hnsnetwork get-hotfix get-item
get-itemproperty get-itempropertyvalue get-localgroupmember get-localuser get-location get-member get-module
get-mppreference get-netadapter get-netconnectionprofile get-netfirewallprofile get-netfirewallrule
get-netipaddress get-netipconfiguration get-netipinterface get-netroute get-nettcpconnection get-process
get-psdrive get-scheduledtask get-scheduledtaskinfo get-service get-smbshare get-timezone get-unique
get-volume get-windowsfeature get-windowsoptionalfeature get-winevent get-wmiobject test-connection
test-netconnection test-path resolve-dnsname resolve-path join-path split-path compare-object foreach-object
group-object measure-object select-object select-string sort-object where-object convertfrom-csv
convertfrom-json convertto-csv convertto-json format-list format-table format-wide out-null out-string
write-host write-output write-warning start-sleep select where sort group measure ft fl echo % ? hostname
hostname.exe whoami whoami.exe ipconfig ipconfig.exe
"""
COMMANDS = frozenset(_COMMANDS.split())
"""What is run by name. The programs among them never read what they are given on standard input."""

_TYPES = """
array bool boolean datetime decimal double hashtable int int32 int64 long object ordered pscustomobject
psobject string string[] int[] timespan uint32 uint64 version
"""
TYPES = frozenset(_TYPES.split())

_METHODS = """
contains endswith equals gettype indexof lastindexof padleft padright replace split startswith substring
tolower tolowerinvariant tostring toupper toupperinvariant trim trimend trimstart
"""
METHODS = frozenset(_METHODS.split())

_KEYWORDS = """
if elseif else foreach while do until return try catch finally throw
"""
KEYWORDS = frozenset(_KEYWORDS.split())

_KEYS = """
n name e expression width alignment formatstring
"""
KEYS = frozenset(_KEYS.split())
"""Names before `=` in the properties that are given to Format-Table and Select-Object."""

MOST_CHARACTERS = 20_000
"""What is longer is not looked at."""

_TEXTS = re.compile(
    r"""(?P<comment><\#.*?\#>|\#[^\n]*)|(?P<plain>'(?:[^']|'')*')|(?P<spoken>"(?:[^"`]|""|`.)*")""",
    re.DOTALL | re.VERBOSE,
)
_REFUSED = re.compile(
    r"""
      `|::|&|[<>]                                  # continued lines, .NET, calls, redirections
      | @['"\w]                                    # texts over several lines, splatting
      | \$\{ | \$\$ | \$\^ | \$input\b | \$executioncontext\b | \$host\b | \$k8
      | \$\w+:\w+\s*[-+*/%.]?=                      # variables of other scopes, and of the environment
      | \.\s*['"$({]                               # members by a name that is worked out
      | (?:\.\w+|\])\s*[-+*/%]?=(?!=)               # what belongs to an object
      | (?:\+\+|--)
      | \s-(?:\w*variable|[oewip]v|membername|wait|argumentlist)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TYPE = re.compile(r"\[\s*([A-Za-z][\w.]*(?:\[\])?)\s*\]")
_DECLARED = re.compile(r"\[\s*Parameter\s*\([\w\s=,$]*\)\s*\]", re.IGNORECASE)
_METHOD = re.compile(r"\.(\w+)\s*\(")
_BEGINS = re.compile(r"[;\n|{}()=!]|(?<!-)\bin\b", re.IGNORECASE)
_GOES_ON = re.compile(r"\.\w|\[|\s*-[A-Za-z]")
"""What may follow a bracket: a member, an index, an operator."""

_VALUE = re.compile(r"[$'\n;|{}()=!]|@[({]|-[\d$(]|\d[\d.]*(?:[kmgtp]b|[dl])?(?!\w)", re.IGNORECASE)
"""What is no command at the begin of a statement."""
_WORD = re.compile(r"[^\s;|{}()=,]+")


@lru_cache(maxsize=512)
def looks_only(text: str) -> bool:
    """Tell whether a script certainly does nothing but look, and leaves its process as it found it."""
    if len(text) > MOST_CHARACTERS or re.search(r"[^\x20-\x7e\n\r\t]", text):
        return False
    code = _without_texts(text.replace("\r\n", "\n"))
    if code is None:
        return False
    code = _DECLARED.sub(" ", code)
    if _REFUSED.search(code):
        return False
    if any(found.lower() not in TYPES for found in _TYPE.findall(code)):
        return False
    rest = _TYPE.sub(" ", code)
    if re.search(r"(?<![\w\])}'])\[", rest):
        return False  # a bracket that is neither a type nor an index
    if any(found.lower() not in METHODS for found in _METHOD.findall(rest)):
        return False
    return all(_may_begin(before, part) for before, part in _parts(rest))


def _without_texts(text: str) -> str | None:
    """Return the code with empty texts and no comments; None when a text holds code, or does not end."""
    doubtful = False

    def put(found: re.Match[str]) -> str:
        nonlocal doubtful
        if found["comment"] is not None:
            doubtful |= "requires" in found["comment"].lower()
            return " "
        if found["spoken"] is not None and "$(" in found["spoken"]:
            doubtful = True
        return "''"

    code = _TEXTS.sub(put, text)
    left = code.replace("''", "")
    return None if doubtful or "'" in left or '"' in left or "#" in left else code


def _parts(code: str) -> list[tuple[str, str]]:
    """Return each place at which a command may begin: what stands before it, and what follows."""
    code = ";" + code
    return [(found[0].strip(), code[found.end() :]) for found in _BEGINS.finditer(code)]


def _may_begin(before: str, rest: str) -> bool:
    """Tell whether what stands at the begin of a statement is known to be harmless."""
    if before in (")", "}") and _GOES_ON.match(rest):
        return True
    rest = rest.lstrip(" \t")
    if not rest or _VALUE.match(rest):
        return True
    found = _WORD.match(rest)
    if found is None:
        return False
    word, behind = found[0].lower(), rest[found.end() :].lstrip(" \t")
    if word == "param":
        return behind.startswith("(")
    if word in KEYWORDS:
        return _may_begin(before, behind)
    if word in KEYS and behind.startswith("="):
        return True
    if word in ("foreach-object", "%"):
        # Given a word it would call a method of that name.
        return behind.startswith("{")
    return word in COMMANDS
