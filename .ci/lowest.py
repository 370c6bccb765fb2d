"""Print the lowest version of each library that the two distributions allow, as constraints for pip."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def lowest() -> list[str]:
    """Return `NAME==VERSION` for each requirement, sorted."""
    found = set()
    for file in (ROOT / "pyproject.toml", ROOT / "lab" / "pyproject.toml"):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        extras = project.get("optional-dependencies", {}).values()
        for text in (*project["dependencies"], *(text for extra in extras for text in extra)):
            name, version = re.match(r"([\w.-]+)>=([\w.]+)", text).groups()
            found.add(f"{name}=={version}")
    return sorted(found)


if __name__ == "__main__":
    sys.stdout.write("\n".join(lowest()) + "\n")
