"""Starting containers: the image's behaviour with the pod's command over it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.internet.pulling import Image, split
from k8swin_lab.linux.containers import web
from k8swin_lab.linux.containers.container import LinuxContainer, is_program
from k8swin_lab.linux.containers.flanneld import flannel

if TYPE_CHECKING:
    from k8swin_lab.machines.linux import LinuxMachine

_HELLO = """
Hello from Docker!
This message shows that your installation appears to be working correctly.
"""


def _waits(text: str) -> web.Behaviour:
    def behave(container: LinuxContainer) -> None:
        if text:
            container.say(text)

    return behave


def _hello(container: LinuxContainer) -> None:
    container.say(_HELLO)
    container.finish(0)


def _ends(container: LinuxContainer) -> None:
    container.finish(0)


_BEHAVIOURS: dict[str, tuple[list[str], web.Behaviour]] = {
    "pause": (["/pause"], _waits("")),
    "etcd": (["etcd"], _waits('{"level":"info","msg":"ready to serve client requests"}')),
    "kube-apiserver": (["kube-apiserver"], _waits("I Serving securely on [::]:6443")),
    "kube-controller-manager": (
        ["kube-controller-manager"],
        _waits("I Serving securely on 127.0.0.1:10257"),
    ),
    "kube-scheduler": (["kube-scheduler"], _waits("I Serving securely on 127.0.0.1:10259")),
    "kube-proxy": (["/usr/local/bin/kube-proxy"], _waits("I Using iptables Proxier")),
    "coredns": (["/coredns"], web.coredns),
    "agnhost": (["/agnhost", "pause"], web.agnhost),
    "nginx": (["/docker-entrypoint.sh", "nginx"], web.nginx),
    "dashboard": (
        ["/dashboard", "--insecure-bind-address=0.0.0.0", "--bind-address=0.0.0.0"],
        web.dashboard,
    ),
    "hello-world": (["/hello"], _hello),
    "busybox": (["sh"], _ends),
    "flannel": (["/opt/bin/flanneld"], flannel),
    "flannel-cni-plugin": (["/flannel"], _ends),
}
"""The image's own command and what it does, by the behaviour's name in the catalogue."""


def start(
    machine: LinuxMachine,
    pod: dict[str, Any],
    container: dict[str, Any],
    environment: dict[str, str],
) -> LinuxContainer:
    """Start a container of a pod.

    Raises:
        RuntimeError: with the runtime's text.
    """
    runtime = machine.pod_runtime
    if error := runtime.cri_error():
        raise RuntimeError(error)
    image = runtime.image(container["image"])
    if image is None:
        raise RuntimeError(f'image "{container["image"]}" not found')
    _connect(machine, pod)
    made = _start(machine, image, pod, container, environment)
    runtime.add(container["name"], image, made, runtime.sandbox(pod), made.id)
    return made


def run_once(machine: LinuxMachine, image: Image, command: list[str]) -> LinuxContainer:
    """Start a container that belongs to no pod, as `ctr run` does.

    Raises:
        RuntimeError: with the runtime's text.
    """
    spec: dict[str, Any] = {"name": "run"}
    if command:
        spec["command"] = command
    return _start(machine, image, {}, spec, {})


def image_command(image: Image) -> list[str]:
    """Return what a container of an image runs when nobody says otherwise."""
    own, _ = _BEHAVIOURS.get(image.behaviour, ([], None))
    return list(own)


def _start(
    machine: LinuxMachine,
    image: Image,
    pod: dict[str, Any],
    container: dict[str, Any],
    environment: dict[str, str],
) -> LinuxContainer:
    own, behave = _BEHAVIOURS.get(image.behaviour, ([], None))
    if behave is None:
        raise RuntimeError(f"not simulated in the lab: a container of {image.reference}")
    entry = own[:1]
    if container.get("command"):
        command = [*container["command"], *(container.get("args") or [])]
    else:
        command = [*entry, *container["args"]] if container.get("args") else list(own)
    tag = split(image.reference)[1]
    files = _image_files(image)
    made = LinuxContainer(machine, pod, container, environment, command, files, tag)
    program = command[0].rpartition("/")[2]
    if program == entry[0].rpartition("/")[2] or program in ("flanneld", "agnhost", "kube-proxy"):
        behave(made)
    elif program == "sleep":
        pass
    elif is_program(program):
        code, out, err = made.exec(command)
        made.say((out + err).decode(errors="replace"))
        made.finish(code)
    elif image.behaviour in ("pause", "hello-world", "coredns", "etcd"):
        raise RuntimeError(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed:"
            " runc create failed: unable to start container process: error during container init:"
            f' exec: "{command[0]}": executable file not found in $PATH'
        )
    else:
        raise RuntimeError(f"not simulated in the lab: {command[0]} in {image.reference}")
    return made


def _image_files(image: Image) -> dict[str, bytes]:
    _, tag = split(image.reference)
    version = tag.removeprefix("v")
    if image.behaviour == "flannel-cni-plugin":
        return {"/flannel": stand_in("flannel", version)}
    return {"/etc/resolv.conf": b"nameserver 10.96.0.10\n"} if image.behaviour == "busybox" else {}


def _connect(machine: LinuxMachine, pod: dict[str, Any]) -> None:
    """Give a pod its network, as the CNI plugins do; the node's bridge comes with the first pod."""
    if pod.get("spec", {}).get("hostNetwork"):
        return
    if machine.pod_runtime is machine.docker and "network-plugin" not in machine.kubelet_options:
        return  # the pod is on docker0
    config = machine.pod_runtime.cni_config()
    name = pod["metadata"]["name"]
    head = f'failed to setup network for sandbox "{machine.pod_runtime.sandbox(pod).id}": '
    if config is None:
        raise RuntimeError(f"{head}cni plugin not initialized")
    kinds = [plugin["type"] for plugin in config.get("plugins", [config])]
    if kinds[0] != "flannel":
        return
    try:
        text = machine.read_text("/run/flannel/subnet.env")
    except OSError:
        raise RuntimeError(
            f"{head}plugin type=\"flannel\" failed (add): failed to load flannel 'subnet.env' file: "
            "open /run/flannel/subnet.env: no such file or directory. Check the flannel pod log for"
            f" this node. ({name})"
        ) from None
    pairs = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    with machine.lock:
        machine.interfaces.add(
            "cni0", "bridge", pairs["FLANNEL_SUBNET"], int(pairs.get("FLANNEL_MTU", "1500"))
        )
    # What the plugins remember: flannel the configuration it passed on, host-local the addresses.
    sandbox = machine.pod_runtime.sandbox(pod).id
    machine.write_file(f"/var/lib/cni/flannel/{sandbox}", json.dumps(config))
    folder = f"/var/lib/cni/networks/{config.get('name', 'cbr0')}"
    machine.write_file(f"{folder}/last_reserved_ip.0", pairs["FLANNEL_SUBNET"].partition("/")[0])
