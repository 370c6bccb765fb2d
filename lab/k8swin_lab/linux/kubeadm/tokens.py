"""kubeadm token: bootstrap tokens of the cluster that a kubeconfig leads to."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from k8swin_lab.arguments import Options, Parsed
from k8swin_lab.kubectl.client import Connection, RequestError, connect
from k8swin_lab.linux.files import Files
from k8swin_lab.linux.kubeadm.configuration import TOKEN
from k8swin_lab.linux.kubeadm.errors import KubeadmError
from k8swin_lab.linux.kubeadm.initialize import new_token, seconds
from k8swin_lab.linux.kubeadm.versions import minor
from k8swin_lab.machines.program import NotSimulated, Process

_OPTIONS = Options(
    flags="--print-join-command --dry-run",
    values="--ttl --description --groups --usages --kubeconfig -o,--output --config -v,--v --certificate-key",
)
_SECRETS = "/api/v1/namespaces/kube-system/secrets"
_GROUP = "system:bootstrappers:kubeadm:default-node-token"


def token(process: Process, words: list[str], version: str) -> int:
    """Run kubeadm token create, list, delete or generate.

    Raises:
        KubeadmError: no kubeconfig, or the API refuses.
    """
    verb, *rest = words or ["help"]
    if verb == "generate":
        process.out(f"{new_token()}\n")
        return 0
    commands = {"list": _list, "delete": _delete}
    if verb != "create" and verb not in commands:
        if verb == "help":
            raise NotSimulated("kubeadm token --help")
        raise KubeadmError(f'unknown command "{verb}" for "kubeadm token"')
    parsed = _OPTIONS.parse(f"kubeadm token {verb}", rest)
    for option in ("--dry-run", "--config", "--certificate-key"):
        if option in parsed:
            raise NotSimulated(f"kubeadm token {verb} {option}")
    if "-o" in parsed and minor(version) < 16:
        raise KubeadmError("unknown shorthand flag: 'o' in -o")
    connection = admin_connection(process, parsed)
    try:
        if verb == "create":
            return _create(process, connection, parsed, version)
        return commands[verb](process, connection, parsed)
    except RequestError as error:
        raise KubeadmError(str(error)) from error


def admin_connection(process: Process, parsed: Parsed) -> Connection:
    """Return a connection with the administrator's kubeconfig.

    Raises:
        KubeadmError: there is none.
    """
    path = (
        parsed.get("--kubeconfig") or process.env.get("KUBECONFIG") or "/etc/kubernetes/admin.conf"
    )
    files = Files(process)
    if not files.exists(path):
        home = process.env.get("HOME", "/root")
        path = f"{home}/.kube/config"
    try:
        text = files.read(path).decode()
    except OSError as error:
        why = (
            "permission denied"
            if isinstance(error, PermissionError)
            else "no such file or directory"
        )
        raise KubeadmError(f"failed to load admin kubeconfig: open {path}: {why}") from error
    return connect(process, text, path)


def _create(process: Process, connection: Connection, parsed: Parsed, version: str) -> int:
    value = parsed.operands[0] if parsed.operands else new_token()
    if not TOKEN.fullmatch(value):
        raise KubeadmError(
            f'the bootstrap token "{value}" was not of the form "\\\\A([a-z0-9]{{6}})\\\\.([a-z0-9]{{16}})\\\\z"'
        )
    ttl = seconds(parsed.get("--ttl") or "24h0m0s")
    if ttl < 0:
        raise KubeadmError(
            f'invalid argument "{parsed.get("--ttl")}" for "--ttl" flag: time: invalid duration "{parsed.get("--ttl")}"'
        )
    identifier, _, secret = value.partition(".")
    usages = (parsed.get("--usages") or "signing,authentication").split(",")
    data = {
        "token-id": identifier,
        "token-secret": secret,
        "auth-extra-groups": parsed.get("--groups") or _GROUP,
    }
    data |= {f"usage-bootstrap-{usage}": "true" for usage in usages}
    if ttl:
        data["expiration"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ttl))
    if description := parsed.get("--description"):
        data["description"] = description
    connection.post(_SECRETS, {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bootstrap-token-{identifier}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
    })  # fmt: skip
    if "--print-join-command" in parsed:
        command = join_command(connection, value)
        if 14 <= minor(version) < 22:  # a line end that was taken out left its indentation behind
            command = command.replace(" --discovery", "     --discovery")
        process.out(f"{command} \n")
    else:
        process.out(f"{value}\n")
    return 0


def join_command(connection: Connection, value: str) -> str:
    """Return the command line with which a worker joins."""
    certificate = x509.load_pem_x509_certificate(connection.authority)
    public = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    server = connection.server.removeprefix("https://")
    return f"kubeadm join {server} --token {value} --discovery-token-ca-cert-hash sha256:{digest.finalize().hex()}"


def _tokens(connection: Connection) -> list[dict[str, str]]:
    listed: dict[str, Any] = connection.get(_SECRETS)
    found = []
    for secret in listed["items"]:
        if secret.get("type") == "bootstrap.kubernetes.io/token":
            values = {
                key: base64.b64decode(text).decode()
                for key, text in (secret.get("data") or {}).items()
            }
            found.append(values)
    return sorted(found, key=lambda one: one["token-id"])


def _list(process: Process, connection: Connection, parsed: Parsed) -> int:
    found = _tokens(connection)
    if parsed.get("-o") in ("json", "yaml", "jsonpath"):
        if parsed.get("-o") != "json":
            raise NotSimulated(f"kubeadm token list -o {parsed.get('-o')}")
        for values in found:
            process.out(json.dumps(_as_object(values), indent=4) + "\n")
        return 0
    rows = []
    for values in found:
        expires = values.get("expiration", "")
        rows.append([
            f"{values['token-id']}.{values['token-secret']}",
            _left(expires) if expires else "<forever>",
            expires or "<never>",
            ",".join(_usages(values)),
            values.get("description") or "<none>",
            values.get("auth-extra-groups") or "<none>",
        ])  # fmt: skip
    if rows:
        head = ["TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION", "EXTRA GROUPS"]
        process.out(_table([head, *rows]))
    return 0


def _table(rows: list[list[str]]) -> str:
    minimum = [23, 9, 20, 22, 56, 0]
    widths = [max([low, *(len(row[at]) for row in rows)]) for at, low in enumerate(minimum)]
    return "".join(
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        + "\n"
        for row in rows
    )


def _usages(values: dict[str, str]) -> list[str]:
    prefix = "usage-bootstrap-"
    return sorted(
        key.removeprefix(prefix)
        for key, text in values.items()
        if key.startswith(prefix) and text == "true"
    )


def _left(expires: str) -> str:
    moment = datetime.strptime(expires, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    left = int(moment.timestamp() - time.time())
    if left <= 0:
        return "<invalid>"
    return f"{left // 3600}h" if left >= 3600 else f"{left // 60}m" if left >= 60 else f"{left}s"


def _as_object(values: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": "BootstrapToken",
        "apiVersion": "output.kubeadm.k8s.io/v1alpha3",
        "token": f"{values['token-id']}.{values['token-secret']}",
    }
    if "description" in values:
        found["description"] = values["description"]
    if "expiration" in values:
        found["expires"] = values["expiration"]
    found["usages"] = _usages(values)
    if groups := values.get("auth-extra-groups"):
        found["groups"] = groups.split(",")
    return found


def _delete(process: Process, connection: Connection, parsed: Parsed) -> int:
    if not parsed.operands:
        raise KubeadmError("missing argument; 'token delete' is missing token")
    for value in parsed.operands:
        identifier = value.partition(".")[0]
        try:
            connection.delete(f"{_SECRETS}/bootstrap-token-{identifier}")
        except RequestError as error:
            raise KubeadmError(
                f'failed to delete bootstrap token "{identifier}": {error.message}'
            ) from error
        process.out(f'bootstrap token "{identifier}" deleted\n')
    return 0
