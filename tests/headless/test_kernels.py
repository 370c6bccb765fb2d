"""Kernels that start ahead: each notebook has its own, and what nobody used is gone with its folder."""

from __future__ import annotations

import signal
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager

from k8swin_nb.headless import notebooks
from k8swin_nb.headless.kernels import Kernels, Place
from k8swin_nb.headless.stopping import Cell, Stop

WHO = "import os, sys; print(os.getpid(), os.getcwd(), 'k8swin_nb' in sys.modules, sorted(set(dir()) & {'k8swin_nb', 'seen'})); seen = 1"


def test_each_notebook_has_a_kernel_of_its_own_that_started_before_it_and_the_rest_end(
    tmp_path: Path,
) -> None:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(WHO)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "asks.ipynb")
    begun: list[Place] = []
    said = []
    with Kernels(tmp_path) as kernels:
        kernels.begin(3)
        for one in list(kernels._begun):
            begun.append(one.result())
        pids = [str(place.manager.provisioner.pid) for place in begun]
        for name in ("first", "second"):
            output = tmp_path / f"{name}.ipynb"
            done = notebooks._execute(
                tmp_path / "asks.ipynb", output, tmp_path, {}, Stop(), kernels
            )
            assert done.error is None
            said.append(nbformat.read(output, 4).cells[0].outputs[0].text.split(maxsplit=3))
    assert [one[0] for one in said] == pids[:2]
    assert [one[1:] for one in said] == [[str(tmp_path), "True", "[]\n"]] * 2
    assert not any(place.manager.has_kernel for place in begun)
    assert not any(Path(place.folder.name).exists() for place in begun)


def test_a_signal_for_a_kernel_that_has_just_ended_is_no_traceback_on_the_terminal() -> None:
    cell = Cell(AsyncKernelManager())  # it has no process
    cell.begun()
    for attempt, number in enumerate((signal.SIGINT, signal.SIGINT, signal.SIGTERM)):
        cell.send(number, attempt)
