"""Snippets that nobody wrote by hand print the same in the lab and in PowerShell's own engine.

Each run draws others; the seed is in what a failure says, and `K8SWIN_SEED` draws the same again. The judge is
version 7, the lab is Windows PowerShell 5.1: the grammar leaves out what they do differently
(`grammar/draw.py` says what), and `engine.normal` levels the rest, which is how many digits a double
shows, the names of assemblies, and two error ids.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from lab.tests.powershell.engine import in_engine, in_lab, peer, refused
from lab.tests.powershell.grammar.snippets import PRELUDE, snippet

COUNT = int(os.environ.get("K8SWIN_SNIPPETS", "200"))
"""Snippets of a run; the goal of less than one in a hundred is held over many runs."""
DIFFERENT, SILENT = 0.035, 0.03
"""Shares that a sample of this size may have by chance: 7 snippets of 200, 6 of them silently."""
# 2 of 2,000 snippets of ten seeds differed when this was set, and 5 of the 2,000 of ten others shortly before. Were it
# 0.5 %, more than 7 of 200 would be 1 in 109,000 runs and more than 6 one in 13,000: sum(comb(200, k) * 0.005**k *
# 0.995**(200 - k) for k in range(7, 201)) is 0.000077. A lab that has become worse is seen: at 3 % four of ten runs
# fail, at 5 % nearly nine.


@pytest.mark.skipif(not peer(), reason="K8SWIN_PSENGINE names no command that runs PowerShell")
@pytest.mark.timeout(300)
def test_snippets_of_a_grammar_print_what_the_engine_prints(tmp_path: Path) -> None:
    seed = int(os.environ.get("K8SWIN_SEED") or random.SystemRandom().randrange(1 << 31))
    drawn = [snippet(seed, number) for number in range(COUNT)]
    for name in ("engine", "lab"):
        (tmp_path / name).mkdir()
    expected = in_engine(peer(), drawn, tmp_path / "engine")
    different, silent = [], 0
    for one, wanted in zip(drawn, expected, strict=True):
        found = in_lab(one, tmp_path / "lab")
        if (found.output, found.code) == (wanted.output, wanted.code):
            continue
        silent += not refused(found)
        body = one.text.removeprefix(PRELUDE.lstrip())
        different.append(
            f"--- {one.name}, called scripts {one.files}\n{body}"
            f"--- engine, exit code {wanted.code}\n{wanted.output}\n"
            f"--- lab, exit code {found.code} {found.errors[-300:]}\n{found.output}\n"
        )
    report = f"seed {seed}: {len(different)} of {COUNT} differ, {silent} of them silently\n"
    assert len(different) <= COUNT * DIFFERENT, report + "\n".join(different)
    assert silent <= COUNT * SILENT, report + "\n".join(different)


def test_a_seed_draws_the_same_snippets_again() -> None:
    assert [snippet(7, n) for n in range(20)] == [snippet(7, n) for n in range(20)]
    assert snippet(7, 1).text != snippet(8, 1).text
