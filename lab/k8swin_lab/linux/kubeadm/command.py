"""kubeadm's command line."""

from __future__ import annotations

import json

from k8swin_lab.arguments import MissingValue, Options, Parsed
from k8swin_lab.internet.catalogue import components
from k8swin_lab.internet.pulling import PullError
from k8swin_lab.linux.files import Files, explain, machine_of
from k8swin_lab.linux.kubeadm import texts
from k8swin_lab.linux.kubeadm.certificates import certs
from k8swin_lab.linux.kubeadm.configuration import (
    Configuration,
    Object,
    init_configuration,
    join_configuration,
    load,
)
from k8swin_lab.linux.kubeadm.errors import KubeadmError, in_phase
from k8swin_lab.linux.kubeadm.files import to_yaml
from k8swin_lab.linux.kubeadm.initialize import initialize
from k8swin_lab.linux.kubeadm.join import join
from k8swin_lab.linux.kubeadm.reset import reset
from k8swin_lab.linux.kubeadm.tokens import token
from k8swin_lab.linux.kubeadm.versions import minor
from k8swin_lab.linux.words import klog
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.web_client import WebError, fetch

_INIT = Options(
    flags="--dry-run --upload-certs --skip-token-print --skip-certificate-key-print",
    values="--config --ignore-preflight-errors --apiserver-advertise-address --apiserver-bind-port"
    " --apiserver-cert-extra-sans --pod-network-cidr --service-cidr --service-dns-domain"
    " --kubernetes-version --control-plane-endpoint --cri-socket --image-repository --node-name --token"
    " --token-ttl --skip-phases -v,--v --feature-gates --certificate-key --cert-dir --patches",
)
_JOIN = Options(
    flags="--control-plane --discovery-token-unsafe-skip-ca-verification --dry-run",
    values="--config --ignore-preflight-errors --token --discovery-token --tls-bootstrap-token"
    " --discovery-token-ca-cert-hash --discovery-file --cri-socket --node-name --skip-phases -v,--v",
)
_RESET = Options(
    flags="-f,--force --cleanup-tmp-dir --dry-run",
    values="--cri-socket --ignore-preflight-errors --kubeconfig --cert-dir --config -v,--v --skip-phases",
)
_IMAGES = Options(
    values="--config --kubernetes-version --image-repository --cri-socket -o,--output -v,--v --feature-gates"
)
_REFUSED = [
    "--dry-run",
    "--upload-certs",
    "--feature-gates",
    "--certificate-key",
    "--cert-dir",
    "--patches",
    "--cleanup-tmp-dir",
]


def kubeadm(process: Process, *, version: str) -> int:
    """Run kubeadm."""
    try:
        return _run(process, process.argv[1:], version)
    except KubeadmError as error:
        _fail(process, str(error), version)
        return error.code
    except MissingValue as error:
        _fail(process, f"flag needs an argument: {error}", version)
        return 1


def _fail(process: Process, text: str, version: str) -> None:
    head = "error: " if minor(version) >= 31 else ""
    trace = "" if minor(version) < 15 else (
        "To see the stack trace of this error execute with --v=5 or higher\n"
    )  # fmt: skip
    process.err(f"{head}{text}\n{trace}")


def _run(process: Process, words: list[str], version: str) -> int:
    verb, *rest = words or ["help"]
    if verb == "version":
        return _version(process, rest, version)
    if verb == "config":
        return _config(process, rest, version)
    if process.user != "root" and verb in ("init", "join", "reset"):
        if verb == "init":
            process.out(f"[init] Using Kubernetes version: v{version}\n")
        process.out("[preflight] Running pre-flight checks\n")
        process.err(
            "[preflight] Some fatal errors occurred:\n\t[ERROR IsPrivilegedUser]: user is not running as root\n"
        )
        raise in_phase("preflight", "preflight checks failed")
    if verb == "init":
        return _init(process, rest, version)
    if verb == "join":
        return _join(process, rest, version)
    if verb == "reset":
        parsed = _RESET.parse("kubeadm reset", rest)
        _refuse("kubeadm reset", parsed)
        return reset(process, parsed, version)
    if verb == "token":
        return token(process, rest, version)
    if verb == "certs":
        return certs(process, rest)
    if verb in ("help", "--help", "-h"):
        process.out(texts.HELP)
        return 0
    if verb in ("upgrade", "kubeconfig", "completion", "alpha"):
        raise NotSimulated(f"kubeadm {verb}")
    raise KubeadmError(f'unknown command "{verb}" for "kubeadm"')


def _refuse(command: str, parsed: Parsed) -> None:
    for option in _REFUSED:
        if option in parsed:
            raise NotSimulated(f"{command} {option}")


def _version(process: Process, words: list[str], version: str) -> int:
    parsed = Options(values="-o,--output").parse("kubeadm version", words)
    major, minor_ = version.split(".")[:2]
    fields = {
        "major": major,
        "minor": minor_,
        "gitVersion": f"v{version}",
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2026-08-17T10:00:00Z" if int(minor_) >= 33 else "2021-01-13T13:25:59Z",
        "goVersion": "go1.26.8" if int(minor_) >= 33 else "go1.15.5",
        "compiler": "gc",
        "platform": "linux/amd64",
    }
    output = parsed.get("-o")
    if output == "short":
        process.out(f"v{version}\n")
    elif output == "json":
        process.out(json.dumps({"clientVersion": fields}, indent=2) + "\n")
    elif output == "yaml":
        process.out(to_yaml({"clientVersion": fields}))
    elif output:
        raise KubeadmError(f"invalid output format: {output}")
    else:
        shown = ", ".join(f'{key[0].upper()}{key[1:]}:"{value}"' for key, value in fields.items())
        process.out(f"kubeadm version: &version.Info{{{shown}}}\n")
    return 0


def _documents(process: Process, parsed: Parsed, version: str) -> dict[str, Object]:
    path = parsed.get("--config")
    if not path:
        return {}
    try:
        text = Files(process).read(path).decode(errors="replace")
    except OSError as error:
        raise KubeadmError(f"open {path}: {explain(error).lower()}") from error
    return load(text, version, process.err)


def _init_documents(process: Process, parsed: Parsed, version: str) -> dict[str, Object]:
    """Return the documents of the file, or those that the flags amount to."""
    documents = _documents(process, parsed, version)
    flags = {
        "--apiserver-advertise-address": (
            "InitConfiguration",
            "localAPIEndpoint",
            "advertiseAddress",
        ),
        "--apiserver-bind-port": ("InitConfiguration", "localAPIEndpoint", "bindPort"),
        "--pod-network-cidr": ("ClusterConfiguration", "networking", "podSubnet"),
        "--service-cidr": ("ClusterConfiguration", "networking", "serviceSubnet"),
        "--service-dns-domain": ("ClusterConfiguration", "networking", "dnsDomain"),
        "--kubernetes-version": ("ClusterConfiguration", "", "kubernetesVersion"),
        "--control-plane-endpoint": ("ClusterConfiguration", "", "controlPlaneEndpoint"),
        "--image-repository": ("ClusterConfiguration", "", "imageRepository"),
        "--node-name": ("InitConfiguration", "nodeRegistration", "name"),
        "--cri-socket": ("InitConfiguration", "nodeRegistration", "criSocket"),
    }
    given = [option for option, _ in parsed.options if option in flags or option == "--token"]
    mixed = [option for option in given if option not in ("--cri-socket", "--node-name")]
    if documents and mixed:
        names = sorted(option.removeprefix("--") for option in mixed)
        raise KubeadmError(f"can not mix '--config' with arguments [{' '.join(names)}]")
    for option, (kind, part, name) in flags.items():
        if option in parsed:
            document = documents.setdefault(kind, {})
            place = document.setdefault(part, {}) if part else document
            value = parsed.get(option)
            place[name] = int(value) if name == "bindPort" else value
    if extra := parsed.get("--apiserver-cert-extra-sans"):
        cluster = documents.setdefault("ClusterConfiguration", {})
        cluster.setdefault("apiServer", {})["certSANs"] = extra.split(",")
    if "--token" in parsed or "--token-ttl" in parsed:
        entry = {"token": parsed.get("--token"), "ttl": parsed.get("--token-ttl") or "24h0m0s"}
        documents.setdefault("InitConfiguration", {})["bootstrapTokens"] = [entry]
    return documents


def _init(process: Process, words: list[str], version: str) -> int:
    if words[:1] == ["phase"]:
        raise NotSimulated("kubeadm init phase")
    if "--help" in words or "-h" in words:
        raise NotSimulated("kubeadm init --help")
    parsed = _INIT.parse("kubeadm init", words)
    _refuse("kubeadm init", parsed)
    if parsed.operands:
        raise KubeadmError(f'unknown command "{parsed.operands[0]}" for "kubeadm init"')
    documents = _init_documents(process, parsed, version)
    configuration = _resolved(process, documents, version)
    return initialize(process, configuration, parsed, version)


def _resolved(process: Process, documents: dict[str, Object], version: str) -> Configuration:
    machine = machine_of(process)
    named = documents.get("ClusterConfiguration", {}).get("kubernetesVersion")
    if not named:
        _ask_version(process, version)
    configuration = init_configuration(machine, documents, version)
    try:
        components(configuration.version)
    except KeyError:
        raise NotSimulated(f"kubeadm with Kubernetes {configuration.version}") from None
    return configuration


def _ask_version(process: Process, version: str) -> None:
    """Ask for the newest version as kubeadm does without one; its own is what it then takes."""
    url = "https://dl.k8s.io/release/stable-1.txt"
    try:
        found = fetch(process.machine, url).body.decode().strip()
    except WebError as error:
        process.err(
            klog(
                "W",
                "version.go:108",
                "could not fetch a Kubernetes version from the internet: unable to get URL "
                f'"{url}": Get "{url}": {error}',
            )
            + klog("W", "version.go:109", f"falling back to the local client version: v{version}")
        )
        return
    if found.split(".")[:2] != f"v{version}".split(".")[:2]:
        label = ".".join(version.split(".")[:2])
        text = f"remote version is much newer: {found}; falling back to: stable-{label}"
        process.err(klog("I", "version.go:260", text))


def _join(process: Process, words: list[str], version: str) -> int:
    if words[:1] == ["phase"]:
        raise NotSimulated("kubeadm join phase")
    parsed = _JOIN.parse("kubeadm join", words)
    _refuse("kubeadm join", parsed)
    if "--discovery-file" in parsed or "--skip-phases" in parsed:
        raise NotSimulated("kubeadm join --discovery-file or --skip-phases")
    documents = _documents(process, parsed, version)
    document = documents.setdefault("JoinConfiguration", {})
    if parsed.operands:
        if "--config" in parsed:
            raise KubeadmError("can not mix '--config' with arguments [api-server-endpoint]")
        entry: Object = {
            "apiServerEndpoint": parsed.operands[0],
            "token": parsed.get("--token") or parsed.get("--discovery-token"),
            "caCertHashes": parsed.all("--discovery-token-ca-cert-hash"),
        }
        if "--discovery-token-unsafe-skip-ca-verification" in parsed:
            entry["unsafeSkipCAVerification"] = True
        document["discovery"] = {"bootstrapToken": entry}
    registration = document.setdefault("nodeRegistration", {})
    for option, name in (("--node-name", "name"), ("--cri-socket", "criSocket")):
        if option in parsed:
            registration[name] = parsed.get(option)
    configuration = join_configuration(machine_of(process), documents, version)
    return join(process, configuration, parsed, version)


def _config(process: Process, words: list[str], version: str) -> int:
    verb, *rest = words or ["--help"]
    if verb in ("--help", "-h"):
        process.out(texts.config_help(minor(version)))
        return 0
    if verb == "images" and rest:
        return _images(process, rest[0], rest[1:], version)
    if verb == "validate" and minor(version) >= 26:
        parsed = Options(flags="--allow-experimental-api", values="--config -v,--v").parse(
            "kubeadm config validate", rest
        )
        if "--config" not in parsed:
            raise KubeadmError("the --config flag is mandatory")
        documents = _documents(process, parsed, version)
        if "JoinConfiguration" in documents:
            join_configuration(machine_of(process), documents, version)
        else:
            init_configuration(machine_of(process), documents, version)
        process.out("ok\n")
        return 0
    if verb == "print" and rest:
        if rest[0] == "init-defaults":
            process.out(texts.init_defaults(version))
            return 0
        if rest[0] == "join-defaults":
            process.out(texts.join_defaults(machine_of(process).name, version))
            return 0
    if verb in ("migrate", "print", "images"):
        raise NotSimulated(f"kubeadm config {' '.join(words)}")
    unknown = [word for word in rest if word.startswith("--")]
    if unknown:
        raise KubeadmError(f"unknown flag: {unknown[0].partition('=')[0]}")
    if (
        minor(version) < 26
    ):  # a group of commands that prints its help for a command it does not have
        process.out(texts.config_help(minor(version)))
        return 0
    raise KubeadmError(f'unknown command "{verb}" for "kubeadm config"')


def _output_api(version: str) -> str:
    return (
        "v1alpha3" if minor(version) >= 28 else "v1alpha2" if minor(version) >= 23 else "v1alpha1"
    )


def _unreachable(machine: LinuxMachine, socket: str) -> str | None:
    if machine.runtime_at(socket) is machine.docker:
        return machine.docker.cri_error()
    return machine.runtime.cri_error(socket)


def _images(process: Process, verb: str, words: list[str], version: str) -> int:
    parsed = _IMAGES.parse(f"kubeadm config images {verb}", words)
    if "--feature-gates" in parsed:
        raise NotSimulated("kubeadm config images --feature-gates")
    documents = _init_documents(process, parsed, version)
    configuration = _resolved(process, documents, version)
    if verb == "list":
        if parsed.get("-o") == "json":
            value = {
                "kind": "Images",
                "apiVersion": f"output.kubeadm.k8s.io/{_output_api(version)}",
                "images": configuration.images(),
            }
            process.out(json.dumps(value, indent=4) + "\n")
        elif parsed.get("-o") not in ("", "text"):
            raise NotSimulated(f"kubeadm config images list -o {parsed.get('-o')}")
        else:
            process.out("".join(f"{image}\n" for image in configuration.images()))
        return 0
    if verb != "pull":
        raise KubeadmError(f'unknown command "{verb}" for "kubeadm config images"')
    socket = configuration.registration["criSocket"]
    runtime = machine_of(process).runtime_at(socket)
    if error := _unreachable(machine_of(process), socket):
        raise KubeadmError(
            f"failed to create new CRI runtime service: validate service connection: {error}"
        )
    for image in configuration.images():
        try:
            runtime.pull(image)
        except PullError as failure:
            code = "NotFound" if str(failure).endswith("not found") else "Unknown"
            raise KubeadmError(
                f'failed to pull image "{image}": failed to pull image {image}: rpc error: code = {code} desc = {failure}'
            ) from failure
        process.out(f"[config/images] Pulled {image}\n")
    return 0
