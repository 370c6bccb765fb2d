"""How far one script came over WinRM, as far as the client knows."""

from __future__ import annotations

from dataclasses import dataclass, field

from k8swin_nb.transports.base import End, Work
from k8swin_nb.transports.output import Output
from k8swin_nb.transports.proof import Proof
from k8swin_nb.transports.winrm_serving import ErrorsEnd


@dataclass(slots=True)
class Course:
    """How far one script came."""

    work: Work
    output: Output
    until: float
    proof: Proof = field(default_factory=Proof)
    begun: bool = False
    """Whether all of it may have arrived, so that it may run."""

    left: str = ""
    errors: ErrorsEnd | None = None
    """Where its standard error ends, when its process serves others too."""

    @property
    def told(self) -> bool:
        """Whether a script of a serving process is over on both streams, and said with which code."""
        return self.errors is not None and self.errors.ended and self.end is not None

    @property
    def end(self) -> End | None:
        """How the script ended, once it has said so itself."""
        code = self.proof.code if self.proof.began and self.proof.ended else None
        return None if code is None else End(code, left=self.left)

    def so_far(self) -> str:
        """Say what is known of a script whose end is not."""
        if self.proof.began:
            return f"`{self.work.script.name}` had begun, and how it ended is not known"
        return f"whether `{self.work.script.name}` ran is not known"
