"""What comes with the toolkit, where it lies, and how a working folder is begun with it.

In a checkout the notebooks and descriptions lie at its top, in an installed package they are its data. No other
module looks for them.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from k8swin_nb.errors import K8swinError

DESCRIPTIONS = ("example.yaml", "lab.yaml", "lab-classic.yaml")
"""What is shipped of `params/`. In a checkout the descriptions of a site may lie beside them, which are nobody else's."""

COURSE = "course.yaml"
"""What is shipped of `workshop/` beside its exercises and what they read. Solutions stay in the checkout."""

MATERIAL = "material"
"""Folder of what exercises read, such as a record to be judged."""

IGNORED = (".k8swin/", "runs/")
"""Lines of a working folder's `.gitignore`: keys, passwords and host keys, and the records of runs."""


def shipped() -> Path:
    """Return the folder that holds `notebooks/` and `params/` as they come with the toolkit."""
    package = Path(str(resources.files("k8swin_nb")))
    packed = package / "shipped"
    return packed if packed.is_dir() else package.parent


def notebooks_of(folder: Path) -> Path:
    """Return where the notebooks for a run in a working folder are: its own, else those that are shipped."""
    own, ours = folder / "notebooks", shipped() / "notebooks"
    # A folder of this name that holds other notebooks is no reason to miss ours.
    return own if any((own / path.name).is_file() for path in _notebooks(ours)) else ours


def begin(folder: Path, *, workshop: bool = False) -> list[str]:
    """Write a working folder: notebooks, descriptions, and what git leaves out.

    Args:
        folder: Is made when it is not there. What is in it and the same stays as it is.
        workshop: The exercises of the course, too, without their solutions.

    Returns:
        The files that were written, relative to the folder; none when all of them were there.

    Raises:
        K8swinError: naming each file that is there and differs, before anything is written; or that the folder
            cannot be written.
    """
    wanted = _contents(workshop=workshop)
    try:
        theirs = [name for name, content in wanted.items() if _differs(folder / name, content)]
        if theirs:
            raise K8swinError(
                f"already in `{folder}`, and not as they would be written: {', '.join(theirs)}",
                hint="nothing was written; name a new folder, and take from it what you want",
            )
        missing = [name for name in wanted if not (folder / name).exists()]
        for name in missing:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(wanted[name])
    except OSError as error:
        raise K8swinError(f"cannot write `{error.filename or folder}`: {error.strerror}") from error
    return missing


def _notebooks(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.ipynb"))


def _contents(*, workshop: bool) -> dict[str, bytes]:
    """Return what a working folder holds, by name relative to it."""
    source = shipped()
    paths = [
        *_notebooks(source / "notebooks"),
        *(source / "params" / name for name in DESCRIPTIONS),
    ]
    if workshop:
        course = source / "workshop"
        paths += [*_notebooks(course), course / COURSE]
        paths += sorted(path for path in (course / MATERIAL).rglob("*") if path.is_file())
    contents = {path.relative_to(source).as_posix(): path.read_bytes() for path in paths}
    contents[".gitignore"] = "".join(f"{line}\n" for line in IGNORED).encode()
    return contents


def _differs(path: Path, content: bytes) -> bool:
    """Whether a file is there and is not what would be written; a longer .gitignore holds ours too."""
    if not (path.exists() or path.is_symlink()):
        return False
    if not path.is_file():
        return True
    if path.name == ".gitignore":
        return not set(IGNORED) <= set(path.read_text(errors="replace").splitlines())
    return path.read_bytes() != content
