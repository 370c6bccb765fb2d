"""How each host is reached, as its description says it: a table, for which nobody is asked."""

from __future__ import annotations

from k8swin_nb.inventory import Host, Inventory, OwnKeys
from k8swin_nb.tables import StaticTable
from k8swin_nb.transports.ssh_config import configured


def ways_table(inventory: Inventory) -> StaticTable:
    """Return for each host where it is asked, how we log in, and whom is trusted to be it.

    Raises:
        ParamsError: when the file that `ssh_config` names cannot be used.
    """
    hosts = [configured(host) for host in inventory.hosts]
    rows = [(host.name, _place(host), _login(host), _trust(host)) for host in hosts]
    return StaticTable("Ways in", ("host", "asked at", "login", "known by"), rows)


def _place(host: Host) -> str:
    if host.os == "linux":
        through = f", through {host.ssh_jump.name}" if host.ssh_jump else ""
        return f"ssh://{host.ssh_address}:{host.ssh_port}{through}"
    through = f", through {host.winrm_jump.name}" if host.winrm_jump else ""
    return f"{host.winrm_scheme}://{host.winrm_address}:{host.winrm_port}{through}"


def _login(host: Host) -> str:
    if host.os == "linux":
        root = f", sudo {host.sudo_password}" if host.sudo_password else ""
        return f"{host.user}, {host.identity or host.ssh_password or _keys(host.own_keys)}{root}"
    if host.winrm_auth == "certificate":
        return f"certificate {host.winrm_certificate}"
    secret = host.credential
    if host.winrm_auth == "kerberos":
        own = "the ticket of whoever runs this"
        secret = host.credential or host.winrm_keytab or host.winrm_ticket_cache or own
    return f"{host.user}, {host.winrm_auth}, {secret}"


def _keys(keys: OwnKeys | None) -> str:
    keys = keys or OwnKeys()
    agent = "a key of the SSH agent" + (f" at {keys.agent}" if keys.agent else "")
    asked = [] if keys.agent == "none" or (keys.only and keys.identities) else [agent]
    return " or ".join([*keys.identities, *asked]) or "no key"


def _trust(host: Host) -> str:
    if host.os == "linux":
        return f"its key in {host.known_hosts}"
    if host.winrm_scheme == "http":
        return (
            "its ticket" if host.winrm_auth == "kerberos" else "nothing but that it knows the login"
        )
    if host.winrm_fingerprint:
        return f"the certificate {host.winrm_fingerprint[:16]}..."
    return f"a certificate by {host.ca or 'an authority that this computer trusts'}"
