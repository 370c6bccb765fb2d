"""`python -m k8swin_nb.workshop check ex2 --params FILE --json`: an exercise is looked at from outside of the trainee's own process."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO, cast

from k8swin_nb.errors import K8swinError
from k8swin_nb.shown import ShownStream
from k8swin_nb.workshop.checking import look_at
from k8swin_nb.workshop.colleague import SECONDS, work
from k8swin_nb.workshop.course import course


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when the exercise could be looked at, done or not, 1 when not, 2 for usage."""
    parser = argparse.ArgumentParser(prog="python -m k8swin_nb.workshop", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    one = commands.add_parser("check", help="look how an exercise stands, and change nothing")
    one.add_argument("exercise", help="such as ex2")
    one.add_argument("--params", type=Path, required=True, help="the cluster's description")
    one.add_argument("--json", action="store_true", help="as JSON")
    other = commands.add_parser(
        "colleague", help="hold a machine's lock, as somebody else's run does"
    )
    other.add_argument("machine", help="its name")
    other.add_argument("--params", type=Path, required=True, help="the cluster's description")
    other.add_argument("--seconds", type=float, default=SECONDS, help="how long")
    commands.add_parser("list", help="say which exercises there are")
    options = parser.parse_args(argv)
    out, err = (cast(TextIO, ShownStream(stream)) for stream in (sys.stdout, sys.stderr))
    try:
        if options.command == "list":
            for item in course().exercises:
                out.write(f"{item.id:<5} {item.minutes:>3} min  {item.title}\n")
            return 0
        if options.command == "colleague":
            return work(options.machine, options.params, options.seconds)
        found = look_at(options.exercise, options.params)
        out.write(f"{json.dumps(found.as_json()) if options.json else repr(found)}\n")
    except K8swinError as error:
        err.write(f"k8swin workshop: {error}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        return 1
    finally:
        out.flush()
        err.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
