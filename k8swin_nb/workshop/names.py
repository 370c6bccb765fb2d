"""Whether a Windows pod is told the addresses of names: asked in the pod itself."""

from __future__ import annotations

from k8swin_nb.errors import K8swinError
from k8swin_nb.scripts import Script
from k8swin_nb.shown import shown_line
from k8swin_nb.workshop.site import Site, Unseen

NAME = "kubernetes.default.svc.cluster.local"
"""A name that every cluster has."""

SECONDS = 20.0
"""What a pod may take: PowerShell starts slowly in a container."""

FOUND = ("TIMEOUT", "REFUSED", "OTHER")
"""How agnhost begins to say that nobody answers at the address that a name has."""

MOST = 2
"""Pods of a worker that are asked."""


def answers_to_names(site: Site, name: str) -> tuple[bool, str]:
    """Whether a Windows pod on a worker finds the API's Service by its name, at the address that it has."""
    from k8swin_nb.workshop.conditions import no_pods, running_on

    pods = [pod for pod in running_on(site, name) if pod["metadata"]["namespace"] == "default"]
    if not pods:
        return False, no_pods(site, name, "Windows pod of the namespace default")
    service = site.named("/api/v1/namespaces/default/services", "kubernetes")
    wanted = str((service or {}).get("spec", {}).get("clusterIP", ""))
    told = []
    for one in pods[:MOST]:
        met, said = _asked(site, str(one["metadata"]["name"]), wanted)
        if met:
            return True, said
        told.append(said)
    return False, "; ".join(told)


def _asked(site: Site, pod: str, wanted: str) -> tuple[bool, str]:
    """Whether one pod is told an address."""
    try:
        answers = site.cluster.run_script(
            Script.load("linux/connect_pod.check.sh"),
            (site.master,),
            parameters={"POD": pod, "POD_OS": "windows", "EXEC_SECONDS": "10"},
            stdin=f"resolve {NAME}\n".encode(),
            sudo=True,
            timeout=SECONDS,
            check=False,
            recorded=False,
        )
    except K8swinError as error:
        raise Unseen(shown_line(error)) from error
    for problem in answers.errors.values():
        raise Unseen(f"{site.master.name} cannot be asked: {shown_line(problem)}")
    for result in answers.answers.values():
        code, command, said = (*result.stdout.strip("\n").split("\t"), "", "", "")[:3]
        if "/agnhost connect" in command:
            # agnhost looks the name up before it connects, says DNS where that fails, and never the address.
            known = code == "0" or said.startswith(FOUND)
            words = "is found" if known else f"is not found: {shown_line(said) or 'no answer'}"
            return known, f"{pod}: {NAME} {words}"
        found = said.strip()
        if code == "0" and found == wanted:
            return True, f"{pod}: {NAME} is {wanted}"
        if code != "0":
            return False, f"{pod}: {NAME} is not found: {shown_line(said) or 'no answer'}"
        return False, f"{pod}: {NAME} is {shown_line(said) or 'not told'}, expected {wanted}"
    raise Unseen(f"{site.master.name} did not answer")
