"""Paths and files as the session sees them: relative to its location, in the machine's spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.host import PowerShellHost
from k8swin_lab.powershell.streams import FileOutput


class Places:
    """The part of the interpreter that knows where things are."""

    host: PowerShellHost
    location: str

    if TYPE_CHECKING:

        def to_string(self, value: Any) -> str: ...

    def full_path(self, path: str) -> str:
        """Resolve against the current directory."""
        separator = self.host.separator
        text = path.replace("/", separator) if separator == "\\" else path.replace("\\", "/")
        rooted = text.startswith(separator) or (len(text) > 1 and text[1] == ":")
        if not rooted:
            text = self.location.rstrip(separator) + separator + text
        drive = ""
        if separator == "\\":
            if text.startswith("\\\\"):
                drive, text = "\\", text[1:]
            elif len(text) > 1 and text[1] == ":":
                drive, text = text[:2], text[2:]
            else:
                drive = self.location[:2]
        parts: list[str] = []
        for part in text.split(separator):
            if part in ("", "."):
                continue
            if part == "..":
                if parts:
                    parts.pop()
            else:
                parts.append(part)
        return drive + separator + separator.join(parts)

    def is_path(self, name: str) -> bool:
        return self.host.separator in name

    def parent_path(self, path: str) -> str:
        return path.rpartition(self.host.separator)[0]

    execution_policy: str = ""
    """What the command line asked for; a policy of the machine outranks it."""

    def read_script(self, path: str) -> str:
        """The text of a script file.

        Raises:
            PowerShellError: the execution policy refuses it.
        """
        policy = (
            getattr(self.host, "execution_policy", "")
            or self.execution_policy
            or getattr(self.host, "chosen_policy", "")
        )
        about = (
            "For more information, see about_Execution_Policies at "
            "https:/go.microsoft.com/fwlink/?LinkID=135170."
        )
        if policy.lower() == "restricted":
            raise _refused(
                f"File {path} cannot be loaded because running scripts is disabled on this system. {about}"
            )
        if policy.lower() == "allsigned":
            raise _refused(
                f"File {path} cannot be loaded. The file {path} is not digitally signed. You cannot run this "
                "script on the current system. For more information about running scripts and setting execution "
                f"policy, see {about.partition('see ')[2]}"
            )
        return decode(self.host.files.read(path))

    def file_lines(self, path: Any) -> list[str]:
        """The lines of a file (`switch -File`)."""
        return decode(self.host.files.read(self.full_path(self.to_string(path)))).splitlines()

    def redirect_file(self, target: Any, append: bool) -> FileOutput:
        session: Any = self  # the whole interpreter: what goes into a file is formatted by it
        return FileOutput(session, self.full_path(self.to_string(target)), append)


def _refused(text: str) -> PowerShellError:
    return runtime_error(
        text,
        "UnauthorizedAccess",
        category="SecurityError",
        exception="System.Management.Automation.PSSecurityException",
    )


def decode(data: bytes) -> str:
    """A script's bytes by their byte order mark, else as UTF-8."""
    if data.startswith(b"\xff\xfe"):
        return data.decode("utf-16")
    if data.startswith(b"\xfe\xff"):
        return data.decode("utf-16")
    return data.decode("utf-8-sig", "replace")
