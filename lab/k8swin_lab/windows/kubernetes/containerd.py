"""containerd.exe, ctr.exe and crictl.exe."""

from __future__ import annotations

import json
from typing import Any

from k8swin_lab.internet import pulling
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_containers import (
    DEFAULT_CNI_BIN,
    DEFAULT_CNI_CONF,
    DEFAULT_ROOT,
    RunningContainerd,
    read_configuration,
)
from k8swin_lab.machines.windows_services import ServiceError
from k8swin_lab.windows.kubernetes import crictl_containers, ctr_containers
from k8swin_lab.windows.machine_of import full_path, machine_of

DEFAULT_CONFIG = r"C:\Program Files\containerd\config.toml"
_VALUED = (
    "--config",
    "-c",
    "--log-file",
    "--log-level",
    "-l",
    "--address",
    "-a",
    "--root",
    "--state",
    "--service-name",
)
_FLAGS = (
    "--register-service",
    "--unregister-service",
    "--run-service",
    "--version",
    "-v",
    "--nohcsshim",
)
_REVISION = "fb4c30d4ede3531652d86197bf3fc9515e5276d9"


def _options(words: list[str]) -> tuple[dict[str, str], list[str], str]:
    """Options, arguments, and the first thing that is neither."""
    options: dict[str, str] = {}
    rest: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        name, sign, value = word.partition("=")
        if name in _FLAGS:
            options[name] = value or "true"
        elif name in _VALUED:
            if not sign:
                if index >= len(words):
                    return options, rest, name
                value = words[index]
                index += 1
            options[name] = value
        elif word.startswith("-"):
            return options, rest, name.lstrip("-")
        else:
            rest.append(word)
    return options, rest, ""


def containerd(process: Process) -> int:
    """containerd.exe: the service, its registration, and `config default` and `config dump`."""
    machine = machine_of(process)
    options, rest, unknown = _options(process.argv[1:])
    version = machine.program_version(process)
    if unknown:
        process.out("Incorrect Usage: flag provided but not defined: -" + unknown + "\r\n")
        process.err(f"containerd: flag provided but not defined: -{unknown}\r\n")
        return 1
    if "--version" in options or "-v" in options:
        process.out(f"containerd github.com/containerd/containerd/v2 v{version} {_REVISION}\n")
        return 0
    if rest[:1] == ["config"]:
        return _config(
            process, rest[1:], options.get("--config", options.get("-c", DEFAULT_CONFIG))
        )
    if rest:
        process.err(f'containerd: unknown command "{rest[0]}"\r\n')
        return 1
    name = options.get("--service-name", "containerd")
    if "--register-service" in options:
        kept = [f'{key} "{value}"' if " " in value else f"{key} {value}" for key, value in options.items()
                if key in ("--config", "-c", "--log-file", "--log-level", "--root", "--state", "--address")]  # fmt: skip
        line = " ".join([f'"{process.argv[0]}"', "--run-service", *kept])
        try:
            machine.services.create(
                name, line, display_name=name, start=2, description="Container runtime"
            )
        except ServiceError as error:
            process.err(f"containerd: {error}\r\n")
            return 1
        return 0
    if "--unregister-service" in options:
        try:
            machine.services.delete(name)
        except ServiceError as error:
            process.err(f"containerd: {error}\r\n")
            return 1
        return 0
    return _run(process, options, version)


def _run(process: Process, options: dict[str, str], version: str) -> int:
    machine = machine_of(process)
    if process.waits:
        return _serve(process)
    log = options.get("--log-file", "")

    def say(level: str, text: str) -> None:
        line = f'time="2026-01-01T00:00:00Z" level={level} msg={json.dumps(text)}\n'
        if log:
            machine.files.make_directory(log.replace("/", "\\").rpartition("\\")[0])
            machine.files.append(log, line.encode())
        else:
            process.err(line)

    path = options.get("--config", options.get("-c", DEFAULT_CONFIG))
    configuration: dict[str, Any] = {}
    if machine.files.exists(path):
        try:
            configuration = read_configuration(machine.files.read(path).decode("utf-8"))
        except (ValueError, UnicodeDecodeError) as error:
            say("fatal", f"failed to load TOML: {path}: {error}")
            return 1
    elif "--config" in options or "-c" in options:
        say(
            "fatal", f"failed to load TOML: open {path}: The system cannot find the file specified."
        )
        return 1
    machine.containers.open_root(
        options.get("--root") or str(configuration.get("root") or DEFAULT_ROOT)
    )
    machine.containers.containerd = RunningContainerd(version, configuration)
    say("info", "starting containerd")
    say("info", "containerd successfully booted in 0.084s")
    machine.services.connected(process)
    process.kept["opened"] = {log.replace("/", "\\").lower()} if log else set()
    machine.files.open |= process.kept["opened"]
    process.waits = "its end"
    return _serve(process)


def _serve(process: Process) -> int:
    machine = machine_of(process)
    process.cancelled.wait()
    machine.files.open -= process.kept["opened"]
    machine.containers.containerd = None
    return 0


def _config(process: Process, words: list[str], path: str) -> int:
    if words[:1] == ["default"]:
        process.out(default_configuration())
        return 0
    if words[:1] == ["dump"]:
        machine = machine_of(process)
        process.out(
            machine.files.read(path).decode()
            if machine.files.exists(path)
            else default_configuration()
        )
        return 0
    raise NotSimulated(f"containerd.exe config {' '.join(words)}")


def default_configuration() -> str:
    """The parts of `containerd config default` that concern a Windows node."""
    return f"""version = 3
root = 'C:\\ProgramData\\containerd\\root'
state = 'C:\\ProgramData\\containerd\\state'
temp = ''
disabled_plugins = []
required_plugins = []
oom_score = 0
imports = []

[grpc]
  address = '\\\\.\\pipe\\containerd-containerd'
  max_recv_message_size = 16777216
  max_send_message_size = 16777216

[plugins]
  [plugins.'io.containerd.cri.v1.images']
    snapshotter = 'windows'
    image_pull_progress_timeout = '5m0s'

    [plugins.'io.containerd.cri.v1.images'.pinned_images]
      sandbox = 'registry.k8s.io/pause:3.10.2'

    [plugins.'io.containerd.cri.v1.images'.registry]
      config_path = ''

  [plugins.'io.containerd.cri.v1.runtime']
    max_container_log_line_size = 16384

    [plugins.'io.containerd.cri.v1.runtime'.containerd]
      default_runtime_name = 'runhcs-wcow-process'

      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes]
        [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runhcs-wcow-process]
          runtime_type = 'io.containerd.runhcs.v1'

    [plugins.'io.containerd.cri.v1.runtime'.cni]
      bin_dirs = ['{DEFAULT_CNI_BIN}']
      conf_dir = '{DEFAULT_CNI_CONF}'
      max_conf_num = 1
"""


def ctr(process: Process) -> int:
    """ctr.exe: version, and images ls, pull, tag and rm in a namespace; more is in `ctr_containers`."""
    machine = machine_of(process)
    words, namespace = process.argv[1:], "default"
    while words and words[0].startswith("-"):
        name, sign, value = words[0].partition("=")
        if name in ("--version", "-v"):
            process.out(
                f"ctr github.com/containerd/containerd/v2 v{machine.program_version(process)}\n"
            )
            return 0
        if name not in (
            "-n",
            "--namespace",
            "-a",
            "--address",
            "--debug",
            "--timeout",
            "--connect-timeout",
        ):
            process.err(f"ctr: flag provided but not defined: {name}\n")
            return 1
        if name == "--debug":
            words = words[1:]
            continue
        if not sign:
            value, words = words[1], words[1:]
        words = words[1:]
        namespace = value if name in ("-n", "--namespace") else namespace
    if not words:
        process.out("NAME:\n   ctr - containerd CLI\n")
        return 0
    problem = machine.containers.runtime_ready()
    if machine.containers.containerd is None:
        process.err(
            'ctr: failed to dial "\\\\\\\\.\\\\pipe\\\\containerd-containerd": context deadline exceeded: '
            + str(problem)
            + "\n"
        )
        return 1
    images = machine.containers.namespace(namespace)
    if words[0] == "version":
        version = machine.program_version(process)
        process.out(f"Client:\n  Version:  v{version}\n  Revision: {_REVISION}\n\nServer:\n"
                    f"  Version:  v{machine.containers.containerd.version}\n  Revision: {_REVISION}\n")  # fmt: skip
        return 0
    if ctr_containers.known(words[0]):
        machine.containers.collect()
        return ctr_containers.run(process, words, namespace)
    if words[0] not in ("images", "image", "i") or len(words) < 2:
        raise NotSimulated(f"ctr.exe {' '.join(words[:2])}")
    verb, rest = words[1], words[2:]
    quiet = any(w in ("-q", "--quiet") for w in rest)
    names = [w for w in rest if not w.startswith("-")]
    odd = [w for w in rest if w.startswith("-") and w not in ("-q", "--quiet", "--all-platforms", "--local", "--force", "--sync")
           and not w.startswith("--platform")]  # fmt: skip
    if odd:
        process.err(f"ctr: flag provided but not defined: {odd[0]}\n")
        return 1
    if verb in ("ls", "list"):
        if quiet:
            process.out("".join(f"{name}\n" for name in sorted(images)))
        else:
            process.out("REF TYPE DIGEST SIZE PLATFORMS LABELS \n")
            for name, image in sorted(images.items()):
                process.out(f"{name} application/vnd.oci.image.index.v1+json {image.digest} {image.size / 1048576:.1f} MiB "
                            f"windows/amd64 io.cri-containerd.image=managed \n")  # fmt: skip
        return 0
    if verb == "pull":
        reference = names[-1] if names else ""
        if (
            "/" not in reference
            or "." not in reference.partition("/")[0]
            or ":" not in reference.rpartition("/")[2]
        ):
            process.err(f'ctr: failed to resolve reference "{reference}": object required\n')
            return 1
        try:
            image = machine.containers.pull_into(namespace, reference)
        except pulling.PullError as error:
            process.err(f"ctr: {error}\n")
            return 1
        process.out(
            f"{reference}: resolved       |++++++++++++++++++++++++++++++++++++++| \nunpacking windows/amd64 {image.digest}...\ndone\n"
        )
        return 0
    if verb == "tag" and len(names) == 2:
        if names[0] not in images:
            process.err(f'ctr: image "{names[0]}": not found\n')
            return 1
        if names[1] in images and "--force" not in rest:
            process.err(f'ctr: image "{names[1]}": already exists\n')
            return 1
        images[names[1]] = images[names[0]]
        process.out(names[1] + "\n")
        return 0
    if verb in ("rm", "remove", "delete", "del"):
        for name in names:
            if not machine.containers.drop_image(namespace, name):
                process.err(f'ctr: image "{name}": not found\n')
                return 1
            process.out(name + "\n")
        return 0
    raise NotSimulated(f"ctr.exe images {verb}")


def crictl(process: Process) -> int:
    """crictl.exe: version, info, images and pull; more is in `crictl_containers`."""
    machine = machine_of(process)
    words, endpoint = process.argv[1:], ""
    version = machine.program_version(process)
    while words and words[0].startswith("-"):
        name, sign, value = words[0].partition("=")
        words = words[1:]
        if name in ("--version", "-v"):
            process.out(f"crictl version v{version}\n")
            return 0
        if name in ("--debug", "-D"):
            continue
        if name not in (
            "--config",
            "-c",
            "--runtime-endpoint",
            "-r",
            "--image-endpoint",
            "-i",
            "--timeout",
            "-t",
        ):
            process.err(f"flag provided but not defined: {name}\n")
            return 1
        if not sign:
            value, words = words[0], words[1:]
        if name in ("--runtime-endpoint", "-r"):
            endpoint = value
        if name in ("--config", "-c"):
            path = full_path(process, value)
            if not machine.files.exists(path):
                process.err(
                    f'time="2026-01-01T00:00:00Z" level=fatal msg="load config file: open {value}: The system cannot find the file specified."\n'
                )
                return 1
            for line in machine.files.read(path).decode("utf-8-sig").splitlines():
                key, _, text = line.partition(":")
                if key.strip() == "runtime-endpoint":
                    endpoint = endpoint or text.strip().strip("'\"")
    endpoint = endpoint or "npipe:////./pipe/containerd-containerd"
    if not words:
        process.out("NAME:\n   crictl - client for CRI\n")
        return 0
    ready = machine.containers.runtime_ready()
    if machine.containers.containerd is None or "containerd-containerd" not in endpoint:
        process.err(f'time="2026-01-01T00:00:00Z" level=fatal msg="validate service connection: validate CRI v1 runtime API for endpoint '
                    f'\\"{endpoint}\\": {ready or "open: The system cannot find the file specified."}"\n')  # fmt: skip
        return 1
    verb, rest = words[0], words[1:]
    as_json = (
        "-o" in rest and rest[rest.index("-o") + 1 :][:1] == ["json"]
    ) or "--output=json" in rest
    images = machine.containers.namespace("k8s.io")
    if verb == "version":
        process.out(
            f"Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  v{machine.containers.containerd.version}\nRuntimeApiVersion:  v1\n"
        )
        return 0
    if verb == "info":
        network = machine.containers.network_ready()
        conditions = [
            {"message": ready or "", "reason": "" if ready is None else "ContainerdNotReady", "status": ready is None, "type": "RuntimeReady"},
            {"message": f"Network plugin returns error: {network}" if network else "", "reason": "NetworkPluginNotReady" if network else "",
             "status": network is None, "type": "NetworkReady"},
        ]  # fmt: skip
        found = {
            "config": {"cni": {"confDir": machine.containers.containerd.conf_dir, "binDirs": machine.containers.containerd.bin_dirs}},
            "lastCNILoadStatus": "OK" if network is None else f"cni config load failed: {network}", "status": {"conditions": conditions},
        }  # fmt: skip
        process.out(json.dumps(found, indent=2) + "\n")
        return 0
    if verb in ("images", "image", "img"):
        if as_json:
            listed = [{"id": i.id, "repoTags": [n], "repoDigests": [], "size": str(i.size), "uid": None, "username": "", "pinned": False}
                      for n, i in sorted(images.items())]  # fmt: skip
            process.out(json.dumps({"images": listed}, indent=2) + "\n")
        elif "-q" in rest:
            process.out("".join(f"{i.id}\n" for _, i in sorted(images.items())))
        else:
            process.out(f"{'IMAGE':<60} {'TAG':<16} {'IMAGE ID':<16} SIZE\n")
            for name, image in sorted(images.items()):
                repository, tag = pulling.split(name)
                process.out(
                    f"{repository:<60} {tag:<16} {image.id.removeprefix('sha256:')[:13]:<16} {image.size / 1e6:.1f}MB\n"
                )
        return 0
    if verb == "pull" and rest:
        error = machine.containers.pull(rest[-1])
        if error:
            process.err(
                f'time="2026-01-01T00:00:00Z" level=fatal msg="pulling image: rpc error: code = Unknown desc = {error}"\n'
            )
            return 1
        process.out(f"Image is up to date for {images[pulling.normalize(rest[-1])].id}\n")
        return 0
    if crictl_containers.known(verb):
        return crictl_containers.run(process, verb, rest)
    raise NotSimulated(f"crictl.exe {verb}")
