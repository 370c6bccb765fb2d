"""What may be wrong between here and a host. The tree is in `errors`, which offers these too."""

from __future__ import annotations

from k8swin_nb.base_error import LOOKS_FIRST, K8swinError, last_lines


class TransportError(K8swinError):
    """A host could not be reached or used.

    Args:
        host: The host's name.
        detail: What happened.
        hint: What to do.
    """

    default_hint: str | None = None

    begun = False
    """Whether a script may have begun, of which nobody saw the end."""

    def __init__(self, host: str, detail: str, *, hint: str | None = None) -> None:
        super().__init__(f"{host}: {detail}", hint=hint or self.default_hint)
        self.host = host
        self.detail = detail


class NotPassedOn(OSError):
    """A jump host did not open a connection. Its text says what it said."""

    hint: str | None = None


class HostUnreachable(TransportError):
    """Nobody answers at the address, or the connection broke."""

    default_hint = "check the address and port, that the machine is on, and the firewall between"


class HostKeyUnknown(TransportError):
    """The SSH server shows a key that nobody has pinned.

    Args:
        host: The host's name.
        where: Address and port.
        algorithm: Such as `ssh-ed25519`.
        fingerprint: `SHA256:...` as `ssh-keygen -l` prints it.
        authority: Whether `known_hosts` names an authority for the host, whose certificates are not understood.
    """

    def __init__(
        self, host: str, *, where: str, algorithm: str, fingerprint: str, authority: bool = False
    ) -> None:
        also = "; the file of keys names an authority for it, and certificates of hosts are not understood here"
        super().__init__(
            host,
            f"unknown SSH host key of {where}: {algorithm} {fingerprint}{also if authority else ''}",
            hint=(
                "compare with `ssh-keygen -lf` of the key's file on the machine's console, then type "
                f"`k8swin hostkey pin --params FILE {host}`"
            ),
        )
        self.where = where
        self.algorithm = algorithm
        self.fingerprint = fingerprint


class HostKeyMismatch(TransportError):
    """The SSH server shows another key than the pinned one.

    Args:
        host: The host's name.
        where: Address and port.
        expected: The pinned fingerprint.
        found: The fingerprint that the server shows.
    """

    def __init__(self, host: str, *, where: str, expected: str, found: str) -> None:
        super().__init__(
            host,
            f"the SSH host key of {where} has changed: found {found}, pinned is {expected}",
            hint=(
                "someone may be between you and the machine; if it was installed anew, type "
                f"`k8swin hostkey forget --params FILE {host}`, then pin the new one"
            ),
        )
        self.where = where
        self.expected = expected
        self.found = found


class HostKeyRevoked(TransportError):
    """The SSH server shows a key that the project's `known_hosts` marks as revoked."""

    default_hint = (
        "the machine must be given a new host key; whoever has the old one can pretend to be it"
    )


class CertificateRejected(TransportError):
    """The server's TLS certificate is not the pinned one, for another name, out of its time, or signed by somebody else."""

    default_hint = "give the authority that signed the listener's certificate as the host's `ca`"


class AuthenticationFailed(TransportError):
    """The login was refused. It is not tried again: accounts are locked after a few attempts."""

    default_hint = "check the user name and the secret that the inventory refers to"


class TransportTimeout(TransportError):
    """The other end is there and does not answer in time."""

    default_hint = "look at the machine's load, then run the cell again"

    given: float | None = None
    """Seconds in which no script could begin; None: it is about something else."""


def not_begun(host: str, seconds: float) -> TransportTimeout:
    """Return the error of a script that could not begin in the time that it was given; nothing was run."""
    error = TransportTimeout(
        host,
        f"no script could begin within the {seconds:g} s that it was given; nothing was run",
        hint="look at the machine's load and at what else runs there, or give it more time with `--timeout SECONDS`",
    )
    error.given = seconds
    return error


class ScriptNotStarted(TransportError):
    """The login worked, and then no script began: something else answered in its place. Nothing was run.

    Args:
        host: The host's name.
        detail: What happened.
        printed: What the host printed.
        hint: What to do.
    """

    default_hint = (
        "log in there with `ssh` and the same user, and look at what answers: the account's shell, a forced "
        "command, start-up files"
    )

    def __init__(
        self, host: str, detail: str, *, printed: str = "", hint: str | None = None
    ) -> None:
        super().__init__(host, detail, hint=hint)
        self.printed = printed

    def details(self) -> list[str]:
        """Return the last lines that the host printed."""
        return last_lines(self.printed)


class EndUnknown(TransportError):
    """A script began, and how it ended is not known: its shell was killed, or the connection to it was lost."""

    default_hint = f"run the cell again: {LOOKS_FIRST}"
    begun = True


class TransferFailed(TransportError):
    """A file could not be written or read, or did not arrive whole."""
