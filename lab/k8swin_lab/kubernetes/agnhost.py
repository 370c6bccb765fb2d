"""The commands of agnhost that are run inside a pod: `connect`, and its version."""

from __future__ import annotations

from collections.abc import Callable

from k8swin_lab.network import Network, NetworkError, Source

Done = tuple[int, bytes, bytes]

_WORDS = {"refused": "REFUSED", "timeout": "TIMEOUT", "name": "DNS: lookup {host}: no such host"}


def run(
    arguments: list[str],
    version: str,
    network: Network,
    source: Source,
    resolve: Callable[[str], str],
) -> Done:
    """Run agnhost with arguments: exit code, standard output, standard error.

    Args:
        arguments: After the program's name.
        version: The image's tag.
        network: Where the pod is.
        source: The pod.
        resolve: Looks names up as the pod does.
    """
    verb, *rest = arguments or [""]
    if verb == "--version":
        return 0, f"app version {version}\n".encode(), b""
    if verb != "connect":
        return 70, b"", f"not simulated in the lab: agnhost {verb} in a running pod\n".encode()
    target = ""
    for word in rest:
        if not word.startswith("-"):
            target = word
        elif not word.startswith("--timeout=") and word != "--protocol=tcp":
            return 70, b"", f"not simulated in the lab: agnhost connect {word}\n".encode()
    host, colon, port = target.rpartition(":")
    if not colon or not port.isdigit():
        return 1, b"", f"OTHER: address {target}: missing port in address\n".encode()
    try:
        network.open(source, resolve(host), int(port))
    except NetworkError as error:
        text = _WORDS.get(error.kind, f"OTHER: dial tcp {target}: connect: no route to host")
        return 1, b"", f"{text.format(host=host)}\n".encode()
    return 0, b"", b""
