"""papermill's engine with cells that can be stopped; it is known to papermill by the name `ENGINE`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.iorw import LocalHandler, papermill_io
from papermill.utils import merge_kwargs, remove_args

from k8swin_nb.errors import K8swinError
from k8swin_nb.headless.kernels import Place
from k8swin_nb.headless.saving import Saving
from k8swin_nb.headless.stopping import Cell, Stop
from k8swin_nb.local_files import write_whole

ENGINE = "k8swin"
"""Name under which papermill knows the engine of this module."""


class StoppableClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client, whose cells can be stopped."""

    def __init__(
        self, nb_man: Any, *, stop: Stop, saving: Saving, place: Place, **how: Any
    ) -> None:
        manager = place.manager
        # A kernel of another name than the notebook's is not its kernel; whoever started it ends it.
        own = manager if manager is not None and manager.kernel_name == how["kernel_name"] else None
        super().__init__(nb_man, km=own, **how)
        self.owns_km = True
        self._stop = stop
        self._saving = saving
        self._cell: Cell | None = None
        nb_man.autosave_cell = self._autosave(nb_man.autosave_cell)

    @staticmethod
    def _autosave(save: Callable[[], None]) -> Callable[[], None]:
        """Let a cell that runs go on where its outputs cannot be saved for now; its end asks again."""

        def saved() -> None:
            with contextlib.suppress(K8swinError, OSError):
                save()

        return saved

    def papermill_execute_cells(self) -> None:
        """Execute cell after cell until one fails or the run is stopped; then no further one begins.

        Raises:
            NotebookStopped: when cells are left because of that.
        """
        for index, cell in enumerate(self.nb.cells):
            self._cell = Cell(self.km)
            with self._stop.running(self._cell):
                # Asked once the cell is known: a stop that comes later interrupts it, and goes on until it has ended.
                if self._stop.requested:
                    raise NotebookStopped
                if not self._ended_well(cell, index):
                    break

    def _ended_well(self, cell: Any, index: int) -> bool:
        """Execute one cell, and return whether a next one may follow."""
        failed: CellExecutionError | None = None
        try:
            self._saving.runs(index)
            self.nb_man.cell_start(cell, index)
            self.execute_cell(cell, index)
        except CellExecutionError as error:
            failed = error
            self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
        finally:
            followed = failed is None and index + 1 < len(self.nb.cells)
            try:
                with self._saving.left_to_the_next() if followed else contextlib.nullcontext():
                    self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)
            except K8swinError as unsaved:
                raise unsaved from failed
        return failed is None

    def process_message(self, msg: dict[str, Any], *arguments: Any) -> Any:
        """Take a message of the kernel; `execute_input` says that it executes the cell."""
        if msg.get("msg_type") == "execute_input" and self._cell is not None:
            self._cell.begun()
        idle = msg.get("content", {}).get("execution_state") == "idle"
        if msg.get("msg_type") == "status" and idle and self._cell is not None:
            self._cell.idle()
        return super().process_message(msg, *arguments)


class NotebookStopped(Exception):
    """The run was stopped before a cell of this notebook, which never began."""


class StoppableEngine(NBClientEngine):  # type: ignore[misc]
    """papermill's own engine with a client that can be stopped."""

    START_SECONDS: ClassVar[int] = 60

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        stop: Stop,
        place: Place,
        log_output: bool = False,
        **how: Any,
    ) -> Any:
        """Execute a notebook, as papermill's engine does; `place` has its kernel when that was started before."""
        how = remove_args(["input_path", "start_timeout", "stdout_file", "stderr_file"], **how)
        given = merge_kwargs(
            how,
            startup_timeout=cls.START_SECONDS,
            kernel_name=kernel_name,
            log_output=log_output,
        )
        for cell in nb_man.nb.cells:
            if "injected-parameters" in cell.metadata.get("tags", ()):
                # All of a description: it is there for who asks, and the first screen is for how the run went.
                cell.metadata.setdefault("jupyter", {})["source_hidden"] = True
        saving = Saving(nb_man)
        with saving.instead(), place.aside() as aside:
            return StoppableClient(nb_man, stop=stop, saving=saving, place=place, **given).execute(
                **aside
            )


class WholeFiles(LocalHandler):  # type: ignore[misc]
    """papermill's files under absolute paths, of which a full disk leaves no half: the last state that was whole stays."""

    def write(self, buf: str, path: str) -> None:
        """Write a notebook."""
        write_whole(Path(path), buf, sync=False)


papermill_io.register("/", WholeFiles())
papermill_engines.register(ENGINE, StoppableEngine)
