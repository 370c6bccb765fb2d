"""`k8swin audit`: verify, show, diff, export and seal the record of a run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CODES = """exit codes of verify, and of export, which verifies first:
  0  intact, and signed by somebody who is trusted
  1  something is not as it was written
  2  wrong usage, or it cannot be read
  3  intact as far as can be seen, and not proven: no signature, nobody who is trusted, no end
verify of several runs: the worst of them, which is 1, then 2, then 3
"""


def add_audit(commands: Any) -> None:
    """Add the command and its verbs to the command line's parser."""
    audit = commands.add_parser(
        "audit", help="verify, show, compare, pack and seal the record of a run"
    )
    verbs = audit.add_subparsers(required=True, metavar="VERB")

    verify = verbs.add_parser(
        "verify",
        help="say whether a record is as it was written, and by whom it is signed",
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument(
        "run",
        metavar="RUN",
        nargs="+",
        help="a run's folder, its id, or an archive of it; of several, as runs/*, each is judged",
    )
    _runs(verify)
    _trust(verify)
    verify.add_argument(
        "--notebook",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an executed notebook that lies elsewhere, to be compared with the record; may be given more than once",
    )
    verify.add_argument("--json", action="store_true", help="for programs")
    verify.set_defaults(command=_verify)

    show = verbs.add_parser(
        "show", help="say what was done: by whom, why, on which host, what ran as root"
    )
    _run(show)
    show.add_argument("--host", metavar="NAME", help="of this host alone")
    show.add_argument(
        "--root", action="store_true", help="scripts that ran as root, with their texts' files"
    )
    show.add_argument(
        "--changes", action="store_true", help="each change, with what was there before and after"
    )
    show.add_argument(
        "--confirmations", action="store_true", help="who confirmed that something is removed"
    )
    show.add_argument(
        "--scripts", action="store_true", help="each script, with its exit code and its text's file"
    )
    show.add_argument("--json", action="store_true", help="for programs")
    show.set_defaults(command=_show)

    diff = verbs.add_parser(
        "diff", help="compare two runs: versions, parameters, scripts, outcomes, identities"
    )
    diff.add_argument("run", metavar="RUN", help="a run's folder, its id, or an archive of it")
    diff.add_argument("other", metavar="RUN", help="another one")
    diff.add_argument(
        "--runs", type=Path, help="folder of the records; default: runs in the project"
    )
    diff.add_argument("--json", action="store_true", help="for programs")
    diff.set_defaults(command=_diff)

    export = verbs.add_parser(
        "export",
        help="verify a run, and pack it into one file that a stranger can check",
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _run(export)
    _trust(export)
    export.add_argument(
        "--output", type=Path, metavar="FILE", help="default: RUN.tar.gz in the working directory"
    )
    export.set_defaults(command=_export)

    seal = verbs.add_parser("seal", help="seal a run as it is now, and sign the seal")
    _run(seal)
    seal.add_argument(
        "--sign",
        metavar="HOW",
        help="ssh:PATH, certificate:PATH or sigstore; default: the variable K8SWIN_SIGN",
    )
    seal.set_defaults(command=_seal)


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's folder, its id, or an archive of it")
    _runs(parser)


def _runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runs", type=Path, help="folder of the records; default: runs in the project"
    )


def _trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allowed-signers",
        type=Path,
        metavar="FILE",
        help="whose SSH keys are trusted, as ssh-keygen reads it",
    )
    parser.add_argument(
        "--ca", type=Path, metavar="FILE", help="authorities whose certificates are trusted, PEM"
    )
    parser.add_argument(
        "--revoked",
        type=Path,
        metavar="FILE",
        help="what counts no more: a revocation list of ssh-keygen, or in PEM",
    )
    parser.add_argument(
        "--identity", default="", metavar="WHO", help="whose a keyless signature is to be"
    )
    parser.add_argument("--issuer", default="", metavar="URL", help="and who vouches for that")


def _trusted(options: argparse.Namespace) -> Any:
    from k8swin_nb.audit.signatures import Trusted

    return Trusted(
        options.allowed_signers, options.ca, options.revoked, options.identity, options.issuer
    )


@contextmanager
def _opened(options: argparse.Namespace, named: str) -> Iterator[tuple[Path, str]]:
    """Give the folder of the run that is named, and what it is called.

    Raises:
        ParamsError: when it is not there, or cannot be read.
    """
    from k8swin_nb.audit.archive import opened
    from k8swin_nb.errors import ParamsError

    try:
        with opened(_path(options, named)) as found:
            yield found
    except OSError as error:
        # The exit code 1 is a verdict here.
        raise ParamsError(
            f"`{error.filename or named}` cannot be read: {error.strerror or error}"
        ) from None


def _path(options: argparse.Namespace, named: str) -> Path:
    from k8swin_nb.description import project_root
    from k8swin_nb.headless.run_page import find_run

    path = Path(named)
    # An archive, also one that is called by its name alone; the name of a run is found among the runs.
    if path.name not in ("", ".", "..") and (
        path.is_file() or (path.exists() and not path.is_dir())
    ):
        return path
    if named in (".", "..") or (path.is_dir() and (path / "events.jsonl").exists()):
        return path.absolute()
    return find_run(options.runs or project_root() / "runs", named)


def _verify(options: argparse.Namespace) -> int:
    from k8swin_nb.audit.told import verdict_lines
    from k8swin_nb.audit.verifying import verify

    if len(options.run) > 1:
        return _verify_all(options)
    with _opened(options, options.run[0]) as (folder, named):
        verdict = verify(folder, _trusted(options), options.notebook, named=named)
    if options.json:
        _print_json(verdict.as_json())
    else:
        _print(verdict_lines(verdict))
    return verdict.code


def _verify_all(options: argparse.Namespace) -> int:
    """Judge several runs, each for itself; one that cannot be read hinders no other.

    Raises:
        ParamsError: when it is not to be told whose a notebook is, or whom to trust.
    """
    from k8swin_nb.audit.told import several_lines
    from k8swin_nb.audit.verdict import UNREADABLE_CODE, Verdict, worst
    from k8swin_nb.audit.verifying import verify
    from k8swin_nb.errors import ParamsError

    if options.notebook:
        raise ParamsError(
            f"--notebook with {len(options.run)} runs: of which of them it is, is not said",
            hint="verify the run of that notebook by itself",
        )
    trusted = _trusted(options)
    trusted.check()
    found: list[tuple[str, Verdict | ParamsError]] = []
    for one in options.run:
        try:
            with _opened(options, one) as (folder, named):
                found.append((one, verify(folder, trusted, named=named)))
        except ParamsError as error:
            found.append((one, error))
    code = worst(UNREADABLE_CODE if isinstance(one, ParamsError) else one.code for _, one in found)
    if options.json:
        runs = [
            {"named": named, "code": UNREADABLE_CODE, "error": str(one)}
            if isinstance(one, ParamsError)
            else {"named": named, **one.as_json()}
            for named, one in found
        ]
        _print_json({"code": code, "runs": runs})
    else:
        _print(several_lines(found))
    return code


def _show(options: argparse.Namespace) -> int:
    from k8swin_nb.audit.story import read_story
    from k8swin_nb.audit.told import story_lines
    from k8swin_nb.audit.verdict import INTACT_CODE
    from k8swin_nb.audit.verifying import verify

    with _opened(options, options.run) as (folder, named):
        verdict = verify(folder, named=named)
        story = read_story(folder)[0].of(options.host or "", root=options.root)
    about = {name for name in ("changes", "confirmations", "scripts") if getattr(options, name)}
    about |= {"scripts"} if options.root else set()
    if options.json:
        _print_json({"verdict": verdict.word, "code": verdict.code, **story.as_json()})
        return 0
    lines = story_lines(story, about=frozenset(about))
    if verdict.code != INTACT_CODE:
        proven = "who signed it is judged by `k8swin audit verify` with --allowed-signers or --ca"
        bad = f"the record is {verdict.word}: `k8swin audit verify` says where"
        _print([bad if verdict.code == 1 else f"the record: {verdict.word}; {proven}"])
    _print(lines)
    return 0


def _diff(options: argparse.Namespace) -> int:
    from k8swin_nb.audit.story import compared
    from k8swin_nb.audit.told import difference_lines

    with (
        _opened(options, options.run) as (one, _),
        _opened(options, options.other) as (other, _),
    ):
        found = compared(one, other)
    if options.json:
        _print_json(found)
    else:
        _print(difference_lines(found))
    return 0


def _export(options: argparse.Namespace) -> int:
    from k8swin_nb.audit.archive import export
    from k8swin_nb.audit.told import verdict_lines
    from k8swin_nb.audit.verifying import verify

    with _opened(options, options.run) as (folder, named):
        verdict = verify(folder, _trusted(options), named=named)
        _print(verdict_lines(verdict))
        target = export(
            folder, options.output or Path(f"{folder.resolve().name}.tar.gz"), verdict.word
        )
    _print([f"packed: {target}"])
    return verdict.code


def _seal(options: argparse.Namespace) -> int:
    from k8swin_nb.audit.sealing import ASKED, seal_run
    from k8swin_nb.audit.signers import check_signer
    from k8swin_nb.errors import ParamsError

    path = _path(options, options.run)
    if not path.is_dir():
        raise ParamsError(
            f"`{path}` is no folder: an archive cannot be sealed anew",
            hint="seal the run, then export it again",
        )
    unsigned = check_signer(options.sign)
    sealed = seal_run(path, ASKED, options.sign)
    _print([str(sealed.path), *map(str, sealed.signatures)])
    if sealed.unsigned or unsigned:
        sys.stderr.write(f"k8swin: it is not signed: {sealed.unsigned or unsigned}\n")
        return 1
    if not sealed.signatures:
        sys.stderr.write("k8swin: it is not signed; name a key with --sign or in K8SWIN_SIGN\n")
    return 0


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _print_json(value: Any) -> None:
    # In ASCII: a record's texts are not to act on a terminal.
    sys.stdout.write(json.dumps(value, indent=1, default=str) + "\n")
