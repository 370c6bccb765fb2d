"""The container that holds a pod's network: it does nothing until it is stopped."""

from __future__ import annotations


class Pause:
    """A pause container, as much of a `Container` as its runtime asks for."""

    def __init__(self) -> None:
        self._exit: int | None = None

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._exit

    def logs(self) -> str:
        """It writes nothing."""
        return ""

    def exec(self, argv: list[str], stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        """Nothing can be run in it."""
        return (
            126,
            b"",
            b"hcs::System::CreateProcess: The system cannot find the file specified.: (0x2)\n",
        )

    def stop(self) -> None:
        """End, as a container that is killed does."""
        self._exit = 0xC000013A
