"""`HostTools`: what a day's work asks of hosts, as methods of an open cluster."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from k8swin_nb.host_tools.asking import Machines

if TYPE_CHECKING:
    from k8swin_nb.fan_out import Answers
    from k8swin_nb.host_tools.facts import HostFacts
    from k8swin_nb.host_tools.file_report import FileReport
    from k8swin_nb.host_tools.host_files import Progress
    from k8swin_nb.host_tools.survey import HostTable
    from k8swin_nb.inventory import Host


class HostTools:
    """Methods of `Machines`, and so of `api.Cluster`; `on` is a selection as `Cluster.hosts` takes it, or hosts."""

    def survey(
        self: Machines,
        on: str | tuple[Host, ...] = "all",
        *,
        seconds: float = 20.0,
        cancel: threading.Event | None = None,
    ) -> HostTable:
        """Return who can be worked with: a DataFrame with a row for each host, also for one that does not answer.

        Args:
            on: Which hosts.
            seconds: What the whole table may take.
            cancel: When it is set, asking is stopped.

        Raises:
            InventoryError: when the selection names no host.
        """
        from k8swin_nb.host_tools.survey import survey

        return survey(self, on, seconds=seconds, cancel=cancel)

    def facts(
        self: Machines,
        on: str | tuple[Host, ...] = "all",
        *,
        seconds: float = 60.0,
        cancel: threading.Event | None = None,
    ) -> Answers[HostFacts]:
        """Return what hosts are, by name: dictionaries of typed values such as `memory` in bytes. Nothing is changed.

        Args:
            on: Which hosts.
            seconds: After that a host is an error.
            cancel: When it is set, asking is stopped.

        Raises:
            InventoryError: when the selection names no host.
        """
        from k8swin_nb.host_tools.facts import facts

        return facts(self, on, seconds=seconds, cancel=cancel)

    def push(
        self: Machines,
        local: str | Path,
        remote: str,
        on: str | tuple[Host, ...] = "all",
        *,
        mode: str = "",
        owner: str = "",
        sudo: bool = False,
        dry_run: bool = False,
        cancel: threading.Event | None = None,
        progress: Progress | None = None,
    ) -> FileReport:
        """Bring a file, or all files below a folder, to hosts. What is there with the same content is `ok`.

        A file goes beside its place first, is proved by SHA-256, and is read back when it is there. What somebody else
        made is kept; a file that is there keeps its owner and its mode.

        Args:
            local: File or folder here; `{host}` in it stands for the host's name.
            remote: Place on the host: of a file, or, with a slash at its end or when a folder is there, the folder for
                it; of a folder, the folder that its files go below.
            on: Which hosts.
            mode: Such as `644` (Linux only).
            owner: Such as `root:adm` (Linux only).
            sudo: As root (Linux only).
            dry_run: Say what would change, and change nothing.
            cancel: When it is set, it is stopped; no file is left half.
            progress: Told host, path and bytes.

        Raises:
            ParamsError: when mode or owner are none, or are for Windows.
            TransferFailed: of the only host that failed; its `report` holds what came of the files.
            MultiHostError: when several failed; likewise.
            Interrupted: a KeyboardInterrupt, after what ran was stopped.
        """
        from k8swin_nb.host_tools.pushing import How, push

        how = How(mode, owner, "", sudo, dry_run)
        return push(self, local, remote, on, how, cancel=cancel, progress=progress)

    def pull(
        self: Machines,
        remote: str,
        local: str | Path,
        on: str | tuple[Host, ...] = "all",
        *,
        sudo: bool = False,
        force: bool = False,
        dry_run: bool = False,
        cancel: threading.Event | None = None,
        progress: Progress | None = None,
    ) -> FileReport:
        """Bring a file, or all files below a folder, from hosts. What is here with the same content is `ok`.

        Args:
            remote: File or folder on the host.
            local: Place here. Of several hosts each has a folder of its name below it; `{host}` says where instead.
            on: Which hosts.
            sudo: Read as root (Linux only).
            force: Write over files here that hold something else; without it they are an error before anything is written.
            dry_run: Say what would change, and change nothing.
            cancel: When it is set, it is stopped; no file is left half.
            progress: Told host, path and bytes.

        Raises:
            TransferFailed: of the only host that failed; its `report` holds what came of the files.
            MultiHostError: when several failed; likewise.
            Interrupted: a KeyboardInterrupt, after what ran was stopped.
        """
        from k8swin_nb.host_tools.pulling import pull

        how = {"sudo": sudo, "force": force, "dry_run": dry_run}
        return pull(self, remote, local, on, **how, cancel=cancel, progress=progress)

    def write_file(
        self: Machines,
        path: str,
        content: str | bytes,
        on: str | tuple[Host, ...] = "all",
        *,
        mode: str = "",
        owner: str = "",
        sudo: bool = False,
        validate: str = "",
        encoding: str = "utf-8",
        crlf: bool = False,
        dry_run: bool = False,
        cancel: threading.Event | None = None,
    ) -> FileReport:
        """Write a text as a file on hosts, and return what differed. What is there already is `ok`.

        Args:
            path: Place on the hosts; folders that are missing are made.
            content: A text, or bytes as they are.
            on: Which hosts.
            mode: Such as `644` (Linux only).
            owner: Such as `root:adm` (Linux only).
            sudo: As root (Linux only).
            validate: A command that has to accept the file before it goes to its place; `%s` stands for the file.
            encoding: `utf-8`, `utf-8-bom` or `utf-16`.
            crlf: Lines end as on Windows.
            dry_run: Say what would change, and change nothing.
            cancel: When it is set, it is stopped, and the file is as it was.

        Raises:
            ParamsError: when an argument is none, or not for a host's system.
            TransferFailed: of the only host that failed.
            MultiHostError: when several failed.
            Interrupted: a KeyboardInterrupt, after what ran was stopped.
        """
        from k8swin_nb.host_tools.content import write_file
        from k8swin_nb.host_tools.pushing import How

        how = How(mode, owner, validate, sudo, dry_run)
        return write_file(self, path, content, on, how, encoding=encoding, crlf=crlf, cancel=cancel)
