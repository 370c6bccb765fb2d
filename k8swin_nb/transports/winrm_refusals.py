"""What a refused WinRM login means, by how we log in, and what to do about it."""

from __future__ import annotations

import re

from k8swin_nb.errors import AuthenticationFailed
from k8swin_nb.inventory import Host
from k8swin_nb.transports.winrm_login import NoTicket
from k8swin_nb.transports.wsman import NotOffered

_ALLOW = {
    "ntlm": "Negotiate",
    "kerberos": "Kerberos",
    "credssp": "CredSSP",
    "basic": "Basic",
    "certificate": "Certificate",
}
"""What a login is called under WSMan:\\localhost\\Service\\Auth."""

_ACCOUNT = (
    "check both before you try again: accounts are locked after a few attempts. With the right password it is the "
    "account: locked, expired, or `Deny access to this computer from the network` names it"
)

# What MIT's and Heimdal's libraries say, in small letters (regular expressions), and what to do.
_KERBEROS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        (r"server (\S+ )?not found", "server_not_found"),
        "the domain knows no service of that name: give the name under which the machine is in the domain as "
        "`winrm_host`, or its service principal as `winrm_spn` (`setspn -L COMPUTER` lists them; `HTTP/NAME` is served "
        "by `HOST/NAME`, `WSMAN/NAME` is another)",
    ),
    (
        ("preauthentication failed", "password incorrect", "decrypt integrity check failed"),
        "the password or the keytab is not the account's; check it before you try again: accounts are locked after a "
        "few attempts",
    ),
    (
        ("client not found", "client_not_found", "not found in kerberos database"),
        "the domain knows no such user: `user` is `NAME@REALM`, the realm in capitals",
    ),
    (
        ("revoked",),
        "the account is locked or disabled: see `Get-ADUser NAME -Properties LockedOut, Enabled`",
    ),
    (
        ("password has expired", "password expired"),
        "the password has expired: change it, then try again",
    ),
    (
        ("cannot find kdc", "cannot contact any kdc", "unable to reach any kdc", "cannot resolve"),
        "this computer finds no domain controller of the realm: see /etc/krb5.conf (`[realms]`, or `dns_lookup_kdc`), "
        "the spelling of the realm in capitals, and port 88 in between",
    ),
    (
        ("clock skew",),
        "the clocks of this computer and the domain are more than five minutes apart: set them",
    ),
    (
        ("ticket expired", "credentials have expired", "expired"),
        "the ticket has expired: get a new one with `kinit`, or give a `winrm_keytab` or a `credential`",
    ),
    (
        ("encryption type", "etype"),
        "the domain and this computer have no encryption type in common: keytab and account need AES keys",
    ),
    (
        ("keytab", "key table"),
        "see what the keytab holds with `klist -k -t -K FILE`: `winrm_keytab` needs a key of `user`",
    ),
    (
        (
            "no kerberos credentials",
            "no credentials cache",
            "credentials cache",
            "matching credential not found",
            "no credentials were supplied",
            "unavailable",
            "can't find client principal",
        ),
        "get a ticket with `kinit USER@REALM` as the user that runs the notebook, name where it is as "
        "`winrm_ticket_cache`, or give a `winrm_keytab` or a `credential`; `klist` shows what there is",
    ),
    (
        ("not forwardable", "can't be fulfilled"),
        "the ticket may not be passed on: get it with `kinit -f`, or leave `winrm_delegation` out",
    ),
)


def refused_login(error: Exception, host: Host, where: str, detail: str) -> AuthenticationFailed:
    """Return the error for a login that the server, or the domain, did not let come about.

    Args:
        error: What pywinrm or we raised for it.
        host: Who was asked.
        where: How an error names that.
        detail: The error's own words, as one line.
    """
    method = host.winrm_auth
    if isinstance(error, NotOffered):
        return AuthenticationFailed(
            host.name,
            f"{where}: {detail}; the login was not tried",
            hint="set `winrm_auth` to one that is offered, or allow it on the host: `Set-Item "
            f"WSMan:\\localhost\\Service\\Auth\\{_ALLOW[method]} $true`",
        )
    if isinstance(error, NoTicket):
        low = detail.lower()
        hint = next(
            (hint for words, hint in _KERBEROS if any(re.search(word, low) for word in words)), None
        )
        return AuthenticationFailed(
            host.name,
            f"{where}: no login as `{host.user}` ({method}{_with(host)}) could begin: {detail}",
            hint=hint or "see `klist`, and try `kinit` with the same user on this computer",
        )
    return AuthenticationFailed(
        host.name,
        f"{where} refused the login as `{host.user}` ({method}{_with(host)})",
        hint=_refused_hint(host),
    )


def _with(host: Host) -> str:
    """Return what we log in with, for an error."""
    if host.winrm_auth == "certificate":
        return f", {host.winrm_certificate}"
    if host.winrm_auth == "kerberos" and not host.credential:
        return f", {host.winrm_keytab or host.winrm_ticket_cache or 'the ticket of this user'}"
    return f", {host.credential}"


def _refused_hint(host: Host) -> str:
    if host.winrm_auth == "certificate":
        return (
            "the host maps the certificate to no account, or does not allow this login: `Get-ChildItem "
            "WSMan:\\localhost\\ClientCertificate` there must name its subject and the thumbprint of its authority with the "
            "account's present password, and `Get-Item WSMan:\\localhost\\Service\\Auth\\Certificate` must say true"
        )
    if host.winrm_auth == "kerberos":
        return (
            "the ticket was good, and the host did not take it: the account must be an administrator there, the service "
            "principal must be the machine's own (see `setspn -Q`), and the clocks must agree"
        )
    if host.winrm_auth == "credssp":
        return f"{_ACCOUNT}. With a local account write `{host.user}` without a domain"
    if host.winrm_auth == "ntlm":
        return f"{_ACCOUNT}; or a policy refuses NTLM, which asks for `winrm_auth: kerberos`"
    return _ACCOUNT
