"""Has one piece of work done by any `concurrent.futures.Executor`: in other processes, on other machines.

What is handed over is pickled there: functions of a module and what they are given. What runs there cannot be
interrupted from here, so that whoever asks says how it is ended.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from typing import Any, TypeVar

from k8swin_nb.errors import K8swinError, Stopped

Answer = TypeVar("Answer")

LOOK_SECONDS = 0.1
"""How often is looked whether it is still wanted."""

STOP_SECONDS = 15.0
"""How long work that was ended may take to come back."""


def answer_of(
    executor: Executor,
    stop: threading.Event,
    name: str,
    work: Callable[..., Answer],
    *given: Any,
    end: Callable[[], None] | None = None,
) -> Answer:
    """Have something done by an executor, and return what came of it.

    Args:
        executor: Who does it.
        stop: Set when it is no longer wanted.
        name: Of what it is about, for errors.
        work: A function of a module.
        given: Its arguments.
        end: Ends what was begun, called once when it is no longer wanted.

    Raises:
        Stopped: when it never began, or did not come back after it was ended.
        K8swinError: when it cannot be sent, and what `work` raised.
    """
    # Most work is done by no executor, and needs no memory for one.
    from pickle import PicklingError

    if stop.is_set():
        raise Stopped(name, "was stopped before it began")
    # IPython's `%reset` takes `__spec__` out of the notebook's module, and multiprocessing asks for it by name.
    main = sys.modules["__main__"]
    main.__spec__ = getattr(main, "__spec__", None)
    try:
        future: Future[Answer] = executor.submit(work, *given)
    except (PicklingError, TypeError, AttributeError, RuntimeError) as error:
        raise _unsent(name, error) from error
    over = threading.Event()
    future.add_done_callback(lambda _: over.set())
    while not over.wait(LOOK_SECONDS):
        if not stop.is_set():
            continue
        if future.cancel():
            break
        if end is not None:
            end()
        if not over.wait(STOP_SECONDS):
            raise Stopped(name, f"was stopped, and {type(executor).__name__} gives no answer of it")
    try:
        return future.result()
    except CancelledError:
        raise Stopped(name, "was stopped before it began") from None
    except (PicklingError, AttributeError) as error:
        raise _unsent(name, error) from error
    except TypeError as error:
        if "pickle" not in str(error):
            raise
        raise _unsent(name, error) from error


def _unsent(name: str, error: BaseException) -> K8swinError:
    return K8swinError(
        f"{name}: the work cannot be handed to the executor: {type(error).__name__}: {error}",
        hint="give it functions of a module, hosts, scripts and text; no connections, events, lambdas or `Secret` values",
    )
