"""containerd, runc and ctr."""

from __future__ import annotations

import time
import tomllib

from k8swin_lab.arguments import Options
from k8swin_lab.internet.pulling import Image, PullError, normalize
from k8swin_lab.linux.containers import run_once
from k8swin_lab.linux.files import Files, explain, machine_of
from k8swin_lab.linux.words import binary_size, columns
from k8swin_lab.machines import containerd_config
from k8swin_lab.machines.program import NotSimulated, Process

_COMMITS = {"2.3.4": "5d3b3b7d5c0b6f0d1e8f2c9a4b7e6d1c2f3a4b5c"}


def containerd(process: Process, *, version: str) -> int:
    """Run containerd: its version and its configuration; the daemon is systemd's."""
    parsed = Options(flags="-v,--version", values="-c,--config -l,--log-level -a,--address").parse(
        "containerd", process.argv[1:]
    )
    if "-v" in parsed:
        module = "github.com/containerd/containerd" + (
            "/v2" if int(version.split(".")[0]) >= 2 else ""
        )
        process.out(f"containerd {module} v{version} {_commit(version)}\n")
        return 0
    if parsed.operands[:1] == ["config"]:
        verb = parsed.operands[1] if parsed.operands[1:] else ""
        if verb == "default":
            process.out(containerd_config.render(containerd_config.default(version)))
            return 0
        if verb in ("dump", "migrate"):
            return _dump(process, version, parsed.get("-c") or "/etc/containerd/config.toml")
        raise NotSimulated(f"containerd config {verb}".strip())
    raise NotSimulated(
        "containerd started by hand" if not parsed.operands else f"containerd {parsed.operands[0]}"
    )


def _commit(version: str) -> str:
    return _COMMITS.get(version, "0" * 40)


def _dump(process: Process, version: str, path: str) -> int:
    try:
        text = Files(process).read(path).decode(errors="replace")
    except OSError as error:
        if path != "/etc/containerd/config.toml":
            process.err(
                f'containerd: failed to load config from "{path}": open {path}: {explain(error).lower()}\n'
            )
            return 1
        text = f"version = {containerd_config.default(version)['version']}\n"
    try:
        table = containerd_config.effective(version, text)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        process.err(f"containerd: failed to load TOML: {path}: {error}\n")
        return 1
    process.out(containerd_config.render(table))
    return 0


def runc(process: Process, *, version: str) -> int:
    """Run runc --version."""
    parsed = Options(flags="-v,--version").parse("runc", process.argv[1:])
    if "-v" not in parsed:
        raise NotSimulated(f"runc {' '.join(parsed.operands[:1])}".strip())
    process.out(f"runc version {version}\nspec: 1.2.1\ngo: go1.26.8\nlibseccomp: 2.5.4\n")
    return 0


_GLOBAL = Options(
    flags="--debug -v,--version", values="-n,--namespace -a,--address --timeout", permute=False
)
_IMAGES = Options(
    flags="-q,--quiet --all-platforms --local --plain-http -k,--skip-verify --no-unpack --digests"
    " --sync --rm --detach,-d --net-host --tty,-t",
    values="--platform --base-name --snapshotter --hosts-dir -u,--user",
)


def ctr(process: Process, *, version: str) -> int:
    """Run ctr."""
    parsed = _GLOBAL.parse("ctr", process.argv[1:])
    if "-v" in parsed:
        process.out(f"ctr github.com/containerd/containerd/v2 v{version}\n")
        return 0
    runtime = machine_of(process).runtime
    verb, *rest = parsed.operands or ["help"]
    if verb == "version":
        process.out(
            f"Client:\n  Version:  v{version}\n  Revision: {_commit(version)}\n  Go version: go1.26.8\n\n"
        )
    if process.user != "root" or not runtime.running:
        why = (
            "permission denied"
            if process.user != "root" and runtime.running
            else "no such file or directory"
        )
        address = parsed.get("-a") or "/run/containerd/containerd.sock"
        process.err(
            f'ctr: failed to dial "{address}": connection error: desc = "transport: error while dialing: dial unix {address}: connect: {why}"\n'
        )
        return 1
    if verb == "version":
        process.out(
            f"Server:\n  Version:  v{runtime.version}\n  Revision: {_commit(version)}\n  UUID: {runtime.server_id}\n"
        )
        return 0
    namespace = parsed.get("-n") or process.env.get("CONTAINERD_NAMESPACE") or "default"
    if verb in ("images", "image", "i"):
        return _images(process, namespace, rest)
    if verb in ("containers", "container", "c"):
        return _containers(process, namespace, rest)
    if verb in ("tasks", "task", "t") and rest[:1] in (["ls"], ["list"]):
        rows = [[record.id, str(1000 + index), "RUNNING" if record.running else "STOPPED"]
                for index, record in enumerate(runtime.containers) if record.namespace == namespace]  # fmt: skip
        process.out(columns([["TASK", "PID", "STATUS"], *rows]))
        return 0
    if verb in ("namespaces", "namespace", "ns") and rest[:1] in (["ls"], ["list"]):
        names = sorted(
            {"default", *runtime.images, *(record.namespace for record in runtime.containers)}
        )
        process.out("".join(f"{name}\n" for name in names) if "-q" in rest else
                    columns([["NAME", "LABELS"], *[[name, ""] for name in names]]))  # fmt: skip
        return 0
    if verb == "run":
        return _run(process, namespace, rest)
    raise NotSimulated(f"ctr {verb}")


def _images(process: Process, namespace: str, words: list[str]) -> int:
    verb, *rest = words or ["help"]
    parsed = _IMAGES.parse(f"ctr images {verb}", rest)
    runtime = machine_of(process).runtime
    present = runtime.images.setdefault(namespace, {})
    if verb in ("ls", "list"):
        found = {name: image for name, image in present.items() if _selected(name, parsed.operands)}
        if "-q" in parsed:
            names = sorted(
                {*found, *(image.id for image in found.values())} if not parsed.operands else found
            )
            process.out("".join(f"{name}\n" for name in names))
            return 0
        rows = [_image_row(name, image) for name, image in sorted(found.items())]
        process.out(
            columns([["REF", "TYPE", "DIGEST", "SIZE", "PLATFORMS", "LABELS"], *rows], gap=1)
        )
        return 0
    if verb == "pull":
        return _pull(process, namespace, parsed.operands)
    if verb in ("rm", "remove", "delete", "del"):
        code = 0
        for name in parsed.operands:
            if present.pop(name, None):
                process.out(f"{name}\n")
            else:
                process.err(f'ctr: image "{name}": not found\n')
                code = 1
        return code
    if verb == "tag" and len(parsed.operands) == 2:
        source, target = parsed.operands
        if source not in present:
            process.err(f'ctr: image "{source}": not found\n')
            return 1
        present[target] = present[source]
        process.out(f"{target}\n")
        return 0
    raise NotSimulated(f"ctr images {verb}")


def _selected(name: str, filters: list[str]) -> bool:
    if not filters:
        return True
    for one in filters:
        key, equals, value = one.partition("==")
        if key != "name" or not equals:
            raise NotSimulated(f"ctr images ls {one}")
        if name == value:
            return True
    return False


def _image_row(name: str, image: Image) -> list[str]:
    kind = "application/vnd.oci.image.index.v1+json"
    return [
        name,
        kind,
        image.digest,
        binary_size(image.size),
        "linux/amd64",
        "io.cri-containerd.image=managed",
    ]


def _pull(process: Process, namespace: str, names: list[str]) -> int:
    if not names:
        process.err("ctr: please provide an image reference to pull\n")
        return 1
    reference = names[0]
    if "/" not in reference or normalize(reference) != reference:
        process.err("ctr: failed to resolve image: object required\n")
        return 1
    try:
        image = machine_of(process).runtime.pull(reference, namespace)
    except PullError as error:
        text = str(error).partition('": ')[2] or str(error)
        process.err(f"ctr: {text}\n")
        return 1
    process.out(f"{reference}: resolved       |++++++++++++++++++++++++++++++++++++++|\n"
                f"index-{image.digest}: done           |++++++++++++++++++++++++++++++++++++++|\n"
                "elapsed: 0.8 s total: "
                f"{binary_size(image.size)}\nunpacking linux/amd64 {image.digest}...\ndone: 104.5ms\n")  # fmt: skip
    return 0


def _containers(process: Process, namespace: str, words: list[str]) -> int:
    verb, *rest = words or ["help"]
    if verb not in ("ls", "list"):
        raise NotSimulated(f"ctr containers {verb}")
    found = [one for one in machine_of(process).runtime.containers if one.namespace == namespace]
    if "-q" in rest:
        process.out("".join(f"{record.id}\n" for record in found))
        return 0
    rows = [[record.id, record.image.reference, "io.containerd.runc.v2"] for record in found]
    process.out(columns([["CONTAINER", "IMAGE", "RUNTIME"], *rows], gap=4, trailing=True))
    return 0


def _run(process: Process, namespace: str, words: list[str]) -> int:
    parsed = Options(
        flags="--rm -d,--detach -t,--tty --net-host --privileged",
        values="--env --mount --platform",
        permute=False,
    ).parse("ctr run", words)
    if len(parsed.operands) < 2:
        process.err(
            "ctr: container id must be provided\n"
            if parsed.operands
            else "ctr: image ref must be provided\n"
        )
        return 1
    reference, name, *command = parsed.operands
    machine = machine_of(process)
    image = machine.runtime.images.get(namespace, {}).get(reference)
    if image is None:
        process.err(f'ctr: image "{reference}": not found\n')
        return 1
    try:
        container = run_once(machine, image, command)
    except RuntimeError as error:
        process.err(f"ctr: {error}\n")
        return 1
    record = machine.runtime.add(name, image, container, None, name)
    record.namespace = namespace
    if "-d" not in parsed:
        while container.exit_code() is None and not process.cancelled.is_set():
            time.sleep(0.05)
        process.out(container.logs())
        if "--rm" in parsed:
            machine.runtime.containers.remove(record)
        return container.exit_code() or 0
    return 0
