"""How long is waited between two looks."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from k8swin_nb.workflow.pauses import growing


def test_the_first_looks_follow_soon_and_none_is_later_than_asked():
    pauses = list(islice(growing(2.0), 12))
    assert pauses[0] <= 0.3
    assert sum(pauses[:3]) < 2.0
    assert all(later >= sooner for sooner, later in pairwise(pauses))
    assert pauses[-1] == 2.0


@pytest.mark.parametrize("most", [0.0, 0.2])
def test_no_pause_is_longer_than_asked(most):
    assert max(islice(growing(most), 5)) == most
