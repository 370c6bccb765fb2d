"""Whether a pod is told the addresses of names, by what the program in its image says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from k8swin_nb.workshop.names import NAME, answers_to_names

API = "10.96.0.1"


def site(line: str) -> Any:
    """A site with a pod on a worker, that says this when the name is looked up in it."""
    pod = {
        "metadata": {"name": "shop-1", "namespace": "default", "uid": "u", "labels": {}},
        "spec": {"nodeName": "winworker01"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    answers = SimpleNamespace(errors={}, answers={"m": SimpleNamespace(stdout=f"{line}\n")})
    return SimpleNamespace(
        master=SimpleNamespace(name="linuxmaster"),
        cluster=SimpleNamespace(run_script=lambda *a, **k: answers),
        facts=lambda name: SimpleNamespace(all=lambda word: [["", "", "u"]]),
        pods=lambda: [pod],
        named=lambda path, name: {"spec": {"clusterIP": API}},
    )


AGNHOST = f"kubectl -n default exec shop-1 -- /agnhost connect {NAME}:443 --timeout=5s"
WINDOWS = "kubectl -n default exec shop-1 -- powershell.exe -NoProfile"


@pytest.mark.parametrize(
    ("code", "command", "said", "told"),
    [
        (0, AGNHOST, "", True),
        # Nobody answered at the address: the name has one.
        (1, AGNHOST, "TIMEOUT", True),
        (1, AGNHOST, "REFUSED", True),
        (1, AGNHOST, f"DNS: lookup {NAME}: no such host", False),
        (1, AGNHOST, f"DNS: lookup {NAME} on 10.96.0.10:53: read udp: i/o timeout", False),
        (124, AGNHOST, "", False),
        (0, WINDOWS, API, True),
        (0, WINDOWS, "10.9.9.9", False),
        (1, WINDOWS, "Resolve-DnsName : DNS name does not exist", False),
    ],
)
def test_what_a_pod_says_of_a_name(code: int, command: str, said: str, told: bool) -> None:
    found, words = answers_to_names(site(f"{code}\t{command}\t{said}"), "winworker01")
    assert found == told, words
    assert "shop-1" in words and (told or not said or said in words)
