"""Stopping a script that has fallen silent: it runs, and prints nothing for longer than it was given."""

from __future__ import annotations

import threading

from k8swin_nb.transports.output import Output

LOOK_SECONDS = 0.1
"""How often is looked, at the longest; a shorter limit is looked at more often."""


def watched(output: Output, seconds: float, cancel: threading.Event) -> threading.Event:
    """Return what stops a script: set when `cancel` is, and when the script has printed nothing for so long.

    The time counts from the script's beginning; a slow login is not the script's silence.
    """
    stop = threading.Event()

    def watch() -> None:
        while not output.over.wait(min(LOOK_SECONDS, seconds / 4)):
            if output.quiet() >= seconds:
                output.silent = True
            if output.silent or cancel.is_set():
                stop.set()
                return

    if cancel.is_set():
        stop.set()
    threading.Thread(target=watch, name="silence", daemon=True).start()
    return stop
