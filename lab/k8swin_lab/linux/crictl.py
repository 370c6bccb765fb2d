"""crictl: the container runtime through its CRI."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import yaml

from k8swin_lab.arguments import Options, Parsed
from k8swin_lab.internet.pulling import Image, PullError, split
from k8swin_lab.linux.files import Files, machine_of
from k8swin_lab.linux.words import ago, columns, decimal_size
from k8swin_lab.machines import containerd_config
from k8swin_lab.machines.container_runtime import ContainerRecord, ContainerRuntime, Runtime
from k8swin_lab.machines.program import NotSimulated, Process

_GLOBAL = Options(
    flags="-D,--debug -v,--version",
    values="-r,--runtime-endpoint -i,--image-endpoint -t,--timeout -c,--config",
    permute=False,
)
_VERB = Options(
    flags="-a,--all -q,--quiet -v,--verbose --no-trunc --digests -l,--latest -f,--force --prune",
    values="-o,--output --name --pod -p --state -s --label --namespace --image --tail --template -n,--last",
)
_SOCKET = "unix:///run/containerd/containerd.sock"


def crictl(process: Process, *, version: str) -> int:
    """Run crictl."""
    parsed = _GLOBAL.parse("crictl", process.argv[1:])
    if "-v" in parsed:
        process.out(f"crictl version v{version}\n")
        return 0
    verb, *rest = parsed.operands or ["help"]
    if verb == "config":
        raise NotSimulated("crictl config")
    run = _VERBS.get(verb)
    if run is None:
        raise NotSimulated(f"crictl {verb}")
    runtime = machine_of(process).runtime
    endpoint = _endpoint(process, parsed)
    error = runtime.cri_error(endpoint)
    if error is None and process.user != "root":
        error = (
            f'validate CRI v1 runtime API for endpoint "{endpoint}": rpc error: code = Unavailable desc = '
            'connection error: desc = "transport: Error while dialing: dial unix '
            f'{endpoint.removeprefix("unix://")}: connect: permission denied"'
        )
    if error:
        process.err(f"FATA[0000] validate service connection: {error} \n".replace(" \n", "\n"))
        return 1
    return run(process, runtime, _VERB.parse(f"crictl {verb}", rest))


def _endpoint(process: Process, parsed: Parsed) -> str:
    if found := parsed.get("-r") or process.env.get("CONTAINER_RUNTIME_ENDPOINT", ""):
        return found if "://" in found else f"unix://{found}"
    path = parsed.get("-c") or "/etc/crictl.yaml"
    try:
        loaded = yaml.safe_load(Files(process).read(path)) or {}
    except (OSError, yaml.YAMLError):
        return _SOCKET
    return str(loaded.get("runtime-endpoint") or _SOCKET)


def _print(process: Process, value: Any, parsed: Parsed) -> int:
    if parsed.get("-o", "json") == "yaml":
        process.out(yaml.safe_dump(value, sort_keys=True))
    else:
        process.out(json.dumps(value, indent=2, sort_keys=True) + "\n")
    return 0


def _version(process: Process, runtime: ContainerRuntime, parsed: Parsed) -> int:
    process.out(
        "Version:  0.1.0\nRuntimeName:  containerd\n"
        f"RuntimeVersion:  v{runtime.version}\nRuntimeApiVersion:  v1\n"
    )
    return 0


def _info(process: Process, runtime: ContainerRuntime, parsed: Parsed) -> int:
    directory, binaries = containerd_config.cni_directories(runtime.config)
    network = runtime.network_error()
    status = (
        f"cni config load failed: no network config found in {directory}: cni plugin not initialized: "
        "failed to load cni config"
        if network
        else "OK"
    )
    table = containerd_config.runtime_table(runtime.config)
    runtimes = table.get("containerd", {}).get("runtimes", {})
    options = runtimes.get("runc", {}).get("options", {})
    runc = {"runtimeType": "io.containerd.runc.v2", "options": options, "sandboxer": "podsandbox"}
    conditions = [
        {"message": "", "reason": "", "status": True, "type": "RuntimeReady"},
        {
            "message": f"Network plugin returns error: {network}" if network else "",
            "reason": "NetworkPluginNotReady" if network else "",
            "status": not network,
            "type": "NetworkReady",
        },
        {"message": "", "reason": "", "status": True, "type": "ContainerdHasNoDeprecationWarnings"},
    ]
    value = {
        "cniconfig": {
            "PluginConfDir": directory,
            "PluginDirs": binaries,
            "PluginMaxConfNum": 1,
            "Prefix": "eth",
        },
        "config": {
            "cni": {"binDirs": binaries, "confDir": directory, "maxConfNum": 1},
            "containerd": {"defaultRuntimeName": "runc", "runtimes": {"runc": runc}},
            "containerdEndpoint": "/run/containerd/containerd.sock",
            "containerdRootDir": "/var/lib/containerd",
            "sandboxImage": containerd_config.sandbox_image(runtime.config),
        },
        "golang": "go1.26.8",
        "lastCNILoadStatus": status,
        "lastCNILoadStatus.default": status,
        "status": {"conditions": conditions},
    }
    return _print(process, value, parsed)


def _image(image: Image, runtime: ContainerRuntime) -> dict[str, Any]:
    repository, tag = split(image.reference)
    return {
        "id": image.id,
        "pinned": image.reference == containerd_config.sandbox_image(runtime.config),
        "repoDigests": [f"{repository}@{image.digest}"],
        "repoTags": [image.reference] if not tag.startswith("sha256:") else [],
        "size": str(image.size),
        "spec": None,
        "uid": None,
        "username": "",
    }


def _images(process: Process, runtime: ContainerRuntime, parsed: Parsed) -> int:
    present = sorted(runtime.images.get("k8s.io", {}).values(), key=lambda one: one.reference)
    if parsed.operands:
        present = [
            one
            for one in present
            if parsed.operands[0] in (one.reference, split(one.reference)[0], one.id)
        ]
    if parsed.get("-o") in ("json", "yaml"):
        return _print(process, {"images": [_image(one, runtime) for one in present]}, parsed)
    if "-q" in parsed:
        process.out("".join(f"{one.id}\n" for one in present))
        return 0
    rows = [["IMAGE", "TAG", "IMAGE ID", "SIZE"]]
    for one in present:
        repository, tag = split(one.reference)
        rows.append([repository, tag, _short(one.id), decimal_size(one.size)])
    process.out(columns(rows))
    return 0


def _short(identifier: str) -> str:
    return identifier.removeprefix("sha256:")[:13]


def _pull(process: Process, runtime: ContainerRuntime, parsed: Parsed) -> int:
    if not parsed.operands:
        process.err("FATA[0000] Image name cannot be empty\n")
        return 1
    try:
        image = runtime.pull(parsed.operands[0])
    except PullError as error:
        code = "NotFound" if str(error).endswith("not found") else "Unknown"
        process.err(f"FATA[0000] pulling image: rpc error: code = {code} desc = {error}\n")
        return 1
    process.out(f"Image is up to date for {image.id}\n")
    return 0


def _inspect_image(process: Process, runtime: ContainerRuntime, parsed: Parsed) -> int:
    code = 0
    for name in parsed.operands:
        image = runtime.image(name)
        if image is None:
            process.err(f'FATA[0000] no such image "{name}" present\n')
            return 1
        spec = {"architecture": "amd64", "os": image.os, "config": {}}
        value = {"info": {"imageSpec": spec}, "status": _image(image, runtime)}
        code = _print(process, value, parsed)
    return code


def _remove_image(process: Process, runtime: ContainerRuntime, parsed: Parsed) -> int:
    for name in parsed.operands:
        image = runtime.image(name)
        if image is None:
            process.err(
                f"ERRO[0000] no such image {name}\nFATA[0000] unable to remove the image(s)\n"
            )
            return 1
        del runtime.images["k8s.io"][image.reference]
        process.out(f"Deleted: {image.reference}\n")
    return 0


def _containers(process: Process, runtime: ContainerRuntime, parsed: Parsed) -> int:
    found = [
        one for one in all_containers(runtime) if one.sandbox and (one.running or "-a" in parsed)
    ]
    if name := parsed.get("--name"):
        found = [one for one in found if name in one.name]
    if state := (parsed.get("--state") or parsed.get("-s")):
        found = [one for one in found if one.running == (state.lower() == "running")]
    for option in ("--label", "--pod", "-p", "--image", "--namespace", "-l", "-n"):
        if option in parsed:
            raise NotSimulated(f"crictl ps {option}")
    found.sort(key=lambda one: -one.created)
    if "-q" in parsed:
        process.out("".join(f"{one.id}\n" for one in found))
        return 0
    if parsed.get("-o") in ("json", "yaml"):
        return _print(process, {"containers": [_container(one) for one in found]}, parsed)
    rows = [
        ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"]
    ]
    for one in found:
        pod = one.sandbox
        assert pod is not None  # noqa: S101 - chosen above
        rows.append([
            _short(one.id), _short(one.image.id), ago(one.created), "Running" if one.running else "Exited",
            one.name, str(one.attempt), _short(pod.id), pod.name, pod.namespace,
        ])  # fmt: skip
    process.out(columns(rows, gap=5))
    return 0


def all_containers(runtime: Runtime) -> list[ContainerRecord]:
    """Return the containers, with those of system images, which the kubelet runs by itself."""
    found = list(runtime.containers)
    known = {(one.sandbox.uid, one.name) for one in found if one.sandbox}
    kubelet = runtime.machine.kubelet if runtime.machine.pod_runtime is runtime else None
    for pod in list(kubelet.pods.values()) if kubelet else []:
        for part in pod.containers:
            container, image = part.container, runtime.image(part.spec["image"])
            key = (pod.obj["metadata"]["uid"], part.name)
            if container is None or image is None or key in known:
                continue
            sandbox = runtime.sandbox(pod.obj)
            digest = hashlib.sha256(f"{key} {part.restarts}".encode()).hexdigest()
            found.append(
                ContainerRecord(
                    digest, part.name, image, sandbox, part.started_at, container, part.restarts
                )
            )
    return found


def _container(record: ContainerRecord) -> dict[str, Any]:
    pod = record.sandbox
    return {
        "id": record.id,
        "podSandboxId": pod.id if pod else "",
        "metadata": {"attempt": record.attempt, "name": record.name},
        "image": {"image": record.image.id},
        "imageRef": record.image.id,
        "state": "CONTAINER_RUNNING" if record.running else "CONTAINER_EXITED",
        "createdAt": str(int(record.created * 1e9)),
        "labels": {
            "io.kubernetes.container.name": record.name,
            "io.kubernetes.pod.name": pod.name if pod else "",
            "io.kubernetes.pod.namespace": pod.namespace if pod else "",
        },
    }


def _pods(process: Process, runtime: ContainerRuntime, parsed: Parsed) -> int:
    for option in ("--label", "--state", "-s", "-l", "-n"):
        if option in parsed:
            raise NotSimulated(f"crictl pods {option}")
    runtime.drop_finished_pods()
    all_containers(runtime)
    found = sorted(runtime.sandboxes.values(), key=lambda one: -one.created)
    if name := parsed.get("--name"):
        found = [one for one in found if name in one.name]
    if namespace := parsed.get("--namespace"):
        found = [one for one in found if namespace == one.namespace]
    if "-q" in parsed:
        process.out("".join(f"{one.id}\n" for one in found))
        return 0
    if parsed.get("-o") in ("json", "yaml"):
        items = [
            {"id": one.id, "metadata": {"name": one.name, "namespace": one.namespace, "uid": one.uid},
             "state": "SANDBOX_READY", "createdAt": str(int(one.created * 1e9))}
            for one in found
        ]  # fmt: skip
        return _print(process, {"items": items}, parsed)
    rows = [["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"]]
    rows += [
        [_short(one.id), ago(one.created), "Ready", one.name, one.namespace, "0", "(default)"]
        for one in found
    ]
    process.out(columns(rows, gap=5))
    return 0


def _logs(process: Process, runtime: ContainerRuntime, parsed: Parsed) -> int:
    for record in all_containers(runtime):
        if parsed.operands and record.id.startswith(parsed.operands[0]):
            lines = record.container.logs().splitlines(keepends=True)
            if tail := parsed.get("--tail"):
                lines = lines[-int(tail) :]
            process.out("".join(lines))
            return 0
    process.err("FATA[0000] getting container status: rpc error: code = NotFound desc = an error occurred "
                "when try to find container: not found\n")  # fmt: skip
    return 1


_VERBS = {
    "version": _version,
    "info": _info,
    "images": _images,
    "image": _images,
    "img": _images,
    "pull": _pull,
    "inspecti": _inspect_image,
    "rmi": _remove_image,
    "ps": _containers,
    "pods": _pods,
    "logs": _logs,
}
