"""Programs of this computer that the lab is tried with."""

from __future__ import annotations

import os
import shutil

KUBECTLS = (os.environ.get("K8SWIN_KUBECTL") or shutil.which("kubectl") or "").split(os.pathsep)
"""One or several, of several minors, as K8SWIN_KUBECTL names them; one empty word where there is none."""
