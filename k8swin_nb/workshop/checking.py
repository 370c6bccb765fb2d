"""Looking at an exercise: the cluster is opened by its description, asked, and closed."""

from __future__ import annotations

import time
from pathlib import Path

from k8swin_nb.api import open_cluster
from k8swin_nb.errors import K8swinError
from k8swin_nb.workshop.course import course
from k8swin_nb.workshop.exercises import EXERCISES
from k8swin_nb.workshop.looked import Checked
from k8swin_nb.workshop.site import Site


def look_at(exercise: str, params: Path) -> Checked:
    """Look how an exercise stands, and change nothing.

    Args:
        exercise: Its id, such as `ex2`.
        params: The cluster's description; of it hosts and logins are taken, and no network.

    Raises:
        K8swinError: when there is no such exercise, the description is none, or not one machine answers.
    """
    wanted = course().exercise(exercise)
    began = time.monotonic()
    with open_cluster(params, name="workshop") as cluster:
        site = Site(cluster)
        site.look()
        if site.nobody_answers():
            raise K8swinError(
                f"{exercise} cannot be looked at: no machine of `{params}` answers; {site.why()}",
                hint="are the machines on? In the lab: `k8swin lab status`, then `k8swin lab up`; at a seat, tell your trainer",
            )
        conditions = EXERCISES[wanted.id](site)
    return Checked(wanted, tuple(conditions), time.monotonic() - began)
