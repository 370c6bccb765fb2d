"""docker run, ps, stop, start, rm, logs, exec, wait and container inspect."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from k8swin_lab.arguments import Options, Parsed
from k8swin_lab.linux.containers import run_once
from k8swin_lab.linux.crictl import all_containers
from k8swin_lab.linux.docker.call import (
    Call,
    DockerError,
    container_name,
    familiar,
    find_container,
    short,
    show,
)
from k8swin_lab.linux.docker.images import description, pull_image
from k8swin_lab.linux.words import ago
from k8swin_lab.machines.container_runtime import ContainerRecord
from k8swin_lab.machines.program import NotSimulated

RUN = Options(
    flags="--rm -d,--detach -i,--interactive -t,--tty --privileged -P,--publish-all --init --read-only",
    values="--name -e,--env --restart -v,--volume --network,--net -p,--publish -u,--user -w,--workdir"
    " --entrypoint -h,--hostname -l,--label -m,--memory --cpus --pull --mount --cap-add --cap-drop"
    " --env-file --add-host --dns --log-driver --log-opt --security-opt --platform --pid --ipc --ulimit",
    permute=False,
)
_RUN_REFUSED = (
    "--init", "--read-only", "-P", "-e", "-v", "-p", "-u", "-w", "--entrypoint", "-h", "-l", "-m", "--cpus",
    "--mount", "--env-file", "--add-host", "--dns", "--log-driver", "--log-opt", "--platform", "--ulimit",
    "--privileged", "--cap-add", "--cap-drop", "--security-opt", "--pid", "--ipc",
)  # fmt: skip
LIST = Options(
    flags="-a,--all -q,--quiet --no-trunc -l,--latest -s,--size",
    values="-f,--filter --format -n,--last",
)
REMOVE = Options(flags="-f,--force -v,--volumes")
STOP = Options(values="-t,--time")
LOGS = Options(flags="-f,--follow -t,--timestamps --details", values="-n,--tail --since --until")
EXEC = Options(
    flags="-i,--interactive -t,--tty -d,--detach --privileged",
    values="-e,--env -u,--user -w,--workdir",
    permute=False,
)
_HEADS = {
    "ID": "CONTAINER ID",
    "Image": "IMAGE",
    "Command": "COMMAND",
    "CreatedAgo": "CREATED",
    "Status": "STATUS",
    "Ports": "PORTS",
    "Names": "NAMES",
}
_NAMES = (
    ("brave", "calm", "eager", "hopeful", "keen", "lucid", "quiet", "serene"),
    ("curie", "euler", "hopper", "kepler", "neumann", "noether", "turing", "wiles"),
)


def _any_name(taken: Mapping[str, ContainerRecord]) -> str:
    """A name of two words; with a digit, as Docker's are, when it is taken."""
    name = plain = f"{secrets.choice(_NAMES[0])}_{secrets.choice(_NAMES[1])}"
    number = 0
    while name in taken:
        number += 1
        name = f"{plain}{number}"
    return name


def run(call: Call, words: list[str]) -> int:
    """Run docker run."""
    parsed = RUN.parse("docker run", words)
    for option in _RUN_REFUSED:
        if option in parsed:
            raise NotSimulated(f"docker run {option}")
    if parsed.get("--restart", "no") != "no" or parsed.get("--pull", "missing") != "missing":
        raise NotSimulated("docker run --restart or --pull")
    if parsed.get("--network", "bridge") not in ("bridge", "host", "none", "default"):
        raise NotSimulated(f"docker run --network {parsed.get('--network')}")
    if not parsed.operands:
        raise DockerError(
            "\"docker run\" requires at least 1 argument.\nSee 'docker run --help'.\n", 1
        )
    reference, *command = parsed.operands
    engine = call.engine
    taken = {container_name(one): one for one in engine.containers}
    name = parsed.get("--name") or _any_name(taken)
    if other := taken.get(name):
        raise DockerError(
            f'docker: Error response from daemon: Conflict. The container name "/{name}" is already in use by '
            f'container "{other.id}". You have to remove (or rename) that container to be able to reuse that'
            " name.\nSee 'docker run --help'.",
            125,
        )
    image = engine.image(reference)
    if image is None:
        tagged = reference if ":" in reference.rpartition("/")[2] else f"{reference}:latest"
        call.err(f"Unable to find image '{tagged}' locally\n")
        try:
            image = pull_image(call, reference, prefix="docker: ")
        except DockerError as error:
            raise DockerError(f"{error}.\nSee 'docker run --help'.", 125) from error
    try:
        container = run_once(call.machine, image, command)
    except RuntimeError as error:
        if str(error).startswith("not simulated"):
            raise NotSimulated(str(error).partition(": ")[2]) from error
        engine_word = str(error).rpartition("exec: ")[2]
        raise DockerError(
            "docker: Error response from daemon: OCI runtime create failed: container_linux.go:380: starting"
            f" container process caused: exec: {engine_word}: unknown.",
            127,
        ) from error
    record = engine.add(name, image, container, None, container.id)
    record.shown_image = reference
    if "-d" in parsed:
        call.out(f"{record.id}\n")
        return 0
    shown = 0
    while container.exit_code() is None and not call.process.cancelled.is_set():
        shown = _print_new(call, record, shown)
        time.sleep(0.05)
    _print_new(call, record, shown)
    if "--rm" in parsed:
        engine.containers.remove(record)
    return container.exit_code() or 0


def _print_new(call: Call, record: ContainerRecord, shown: int) -> int:
    text = record.container.logs()
    if len(text) > shown:
        call.out(text[shown:])
    return len(text)


def _finished(record: ContainerRecord) -> float:
    found = getattr(record.container, "finished", None)
    return float(found) if found else record.created


def _status(record: ContainerRecord) -> str:
    code = record.container.exit_code()
    if code is None:
        return f"Up {ago(record.created).removesuffix(' ago')}"
    return f"Exited ({code}) {ago(_finished(record))}"


def _all(call: Call) -> list[ContainerRecord]:
    return sorted(all_containers(call.engine), key=lambda one: -one.created)


def list_containers(call: Call, words: list[str]) -> int:
    """Run docker ps."""
    parsed = LIST.parse("docker ps", words)
    for option in ("-s", "-l", "-n"):
        if option in parsed:
            raise NotSimulated(f"docker ps {option}")
    call.engine  # noqa: B018 - refuses when the daemon does not answer
    found = [one for one in _all(call) if one.running or "-a" in parsed]
    for option in parsed.all("-f"):
        if option.startswith("status="):
            found = _all(call)
    for option in parsed.all("-f"):
        found = [one for one in found if _fits(one, option)]
    whole = "--no-trunc" in parsed
    if "-q" in parsed:
        call.out("".join(f"{one.id if whole else short(one.id)}\n" for one in found))
        return 0
    rows = [_row(one, whole=whole) for one in found]
    heads = dict(_HEADS)
    call.table(rows, heads, parsed.get("--format"))
    return 0


def _row(record: ContainerRecord, *, whole: bool) -> dict[str, Any]:
    command = " ".join(getattr(record.container, "command", []) or [])
    shown = command if whole or len(command) <= 20 else f"{command[:19]}…"
    image = record.shown_image or (
        short(record.image.id) if record.sandbox else familiar(record.image.reference)
    )
    return {
        "ID": record.id if whole else short(record.id),
        "Image": image,
        "Command": f'"{shown}"',
        "CreatedAgo": ago(record.created),
        "RunningFor": ago(record.created),
        "CreatedAt": time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime(record.created)),
        "Status": _status(record),
        "State": "running" if record.running else "exited",
        "Ports": "",
        "Names": container_name(record),
        "Labels": ",".join(f"{key}={value}" for key, value in _labels(record).items()),
        "Mounts": "",
        "Networks": "host" if record.sandbox else "bridge",
        "LocalVolumes": "0",
        "Size": "0B",
    }


def _labels(record: ContainerRecord) -> dict[str, str]:
    if record.sandbox is None:
        return {}
    return {
        "io.kubernetes.container.name": record.name,
        "io.kubernetes.docker.type": "container",
        "io.kubernetes.pod.name": record.sandbox.name,
        "io.kubernetes.pod.namespace": record.sandbox.namespace,
        "io.kubernetes.pod.uid": record.sandbox.uid,
    }


def _fits(record: ContainerRecord, option: str) -> bool:
    key, _, value = option.partition("=")
    if key == "name":
        # A pattern, which may be found in the name with the slash before it or without.
        name = container_name(record)
        return any(re.search(value, text) for text in (name, f"/{name}"))
    if key == "id":
        return record.id.startswith(value)
    if key == "status":
        return value == ("running" if record.running else "exited")
    if key == "ancestor":
        return value in (record.image.id, short(record.image.id), familiar(record.image.reference),
                         familiar(record.image.reference).rpartition(":")[0])  # fmt: skip
    if key == "label":
        name, equals, wanted = value.partition("=")
        own = _labels(record).get(name)
        return own is not None and (not equals or own == wanted)
    if key == "exited":
        return record.container.exit_code() == int(value)
    raise NotSimulated(f"docker ps --filter {option}")


def _each(call: Call, parsed: Parsed, action: Any, head: str = "Error response from daemon") -> int:
    """Do something to every named container; returns the exit code."""
    engine, code = call.engine, 0
    for name in parsed.operands:
        record = find_container(engine, name)
        if record is None:
            call.err(f"{head}: No such container: {name}\n")
            code = 1
            continue
        try:
            action(record)
        except DockerError as error:
            call.err(f"{error}\n")
            code = 1
            continue
        call.out(f"{name}\n")
    return code


def stop(call: Call, words: list[str]) -> int:
    """Run docker stop."""
    return _each(call, STOP.parse("docker stop", words), lambda one: one.container.stop())


def kill(call: Call, words: list[str]) -> int:
    """Run docker kill."""

    def end(record: ContainerRecord) -> None:
        if not record.running:
            raise DockerError(
                f"Error response from daemon: Cannot kill container: {container_name(record)}: Container "
                f"{record.id} is not running"
            )
        record.container.stop()

    return _each(call, STOP.parse("docker kill", words), end)


def remove(call: Call, words: list[str]) -> int:
    """Run docker rm."""
    parsed = REMOVE.parse("docker rm", words)
    engine = call.engine

    def take(record: ContainerRecord) -> None:
        if record.running and "-f" not in parsed:
            raise DockerError(
                "Error response from daemon: You cannot remove a running container "
                f"{record.id}. Stop the container before attempting removal or force remove"
            )
        record.container.stop()
        engine.containers.remove(record)

    return _each(call, parsed, take, "Error")


def logs(call: Call, words: list[str]) -> int:
    """Run docker logs."""
    parsed = LOGS.parse("docker logs", words)
    for option in ("-t", "--details", "--since", "--until"):
        if option in parsed:
            raise NotSimulated(f"docker logs {option}")
    name = parsed.operands[0] if parsed.operands else ""
    record = find_container(call.engine, name)
    if record is None:
        raise DockerError(f"Error: No such container: {name}")
    if call.engine.log_driver not in ("json-file", "journald", "local"):
        raise DockerError(
            "Error response from daemon: configured logging driver does not support reading"
        )
    lines = record.container.logs().splitlines(keepends=True)
    tail = parsed.get("-n", "all")
    call.out("".join(lines if tail == "all" else lines[-int(tail) :] if int(tail) else []))
    shown = len(record.container.logs())
    while "-f" in parsed and record.running and not call.process.cancelled.is_set():
        shown = _print_new(call, record, shown)
        time.sleep(0.05)
    return 0


def execute(call: Call, words: list[str]) -> int:
    """Run docker exec."""
    parsed = EXEC.parse("docker exec", words)
    for option in ("-d", "-e", "-u", "-w"):
        if option in parsed:
            raise NotSimulated(f"docker exec {option}")
    if len(parsed.operands) < 2:
        raise DockerError(
            "\"docker exec\" requires at least 2 arguments.\nSee 'docker exec --help'.\n"
        )
    name, *command = parsed.operands
    record = find_container(call.engine, name)
    if record is None:
        raise DockerError(f"Error: No such container: {name}")
    if not record.running:
        raise DockerError(f"Error response from daemon: Container {record.id} is not running")
    code, out, err = record.container.exec(command)
    call.process.stdout.write(out)
    call.process.stderr.write(err)
    return code


def wait(call: Call, words: list[str]) -> int:
    """Run docker wait."""
    parsed = Options().parse("docker wait", words)
    for name in parsed.operands:
        record = find_container(call.engine, name)
        if record is None:
            raise DockerError(f"Error: No such container: {name}")
        while record.running and not call.process.cancelled.is_set():
            time.sleep(0.05)
        call.out(f"{record.container.exit_code() or 0}\n")
    return 0


def inspect(call: Call, words: list[str]) -> int:
    """Run docker inspect: containers and images by name."""
    parsed = Options(flags="-s,--size", values="-f,--format --type").parse("docker inspect", words)
    kind = parsed.get("--type")
    if kind not in ("", "container", "image"):
        raise NotSimulated(f"docker inspect --type {kind}")
    engine = call.engine
    found: list[Any] = []
    missing = ""
    for name in parsed.operands:
        record = None if kind == "image" else find_container(engine, name)
        image = None if record or kind == "container" else engine.image(name)
        if record is not None:
            found.append(describe(call, record))
        elif image is not None:
            found.append(description(call, image))
        else:
            missing = name
    show(call, found, parsed.get("-f"))
    if missing:
        if parsed.get("-f"):
            call.out("\n")
        what = {"container": "container", "image": "image"}.get(kind, "object")
        call.err(f"Error: No such {what}: {missing}\n")
        return 1
    return 0


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime(seconds))


def describe(call: Call, record: ContainerRecord) -> dict[str, Any]:
    """Return a container as `docker inspect` shows it."""
    code = record.container.exit_code()
    command = getattr(record.container, "command", None) or [""]
    return {
        "Id": record.id,
        "Created": _moment(record.created),
        "Path": command[0],
        "Args": command[1:],
        "State": {
            "Status": "running" if code is None else "exited",
            "Running": code is None,
            "Paused": False,
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": 4242 if code is None else 0,
            "ExitCode": code or 0,
            "Error": "",
            "StartedAt": _moment(record.created),
            "FinishedAt": "0001-01-01T00:00:00Z" if code is None else _moment(_finished(record)),
        },
        "Image": record.image.id,
        "Name": f"/{container_name(record)}",
        "RestartCount": 0,
        "Driver": call.engine.storage_driver,
        "Platform": "linux",
        "HostConfig": {
            "LogConfig": {
                "Type": call.engine.log_driver,
                "Config": dict(call.engine.config.get("log-opts") or {}),
            },
            "NetworkMode": "host" if record.sandbox else "default",
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        },
        "Config": {
            "Hostname": short(record.id),
            "Image": record.shown_image or familiar(record.image.reference),
            "Cmd": command[1:] or None,
            "Entrypoint": command[:1],
            "Labels": _labels(record),
        },
    }
