"""The course: what an exercise asks for, hints in steps, and checks of the state that a cluster is in.

What may live here: what is taught, and how it is found out over the wire whether it is so. What may not: anything that
changes a host, a cluster or the lab, and anything that judges what a person typed.

    from k8swin_nb.workshop import check, hint, start

    start("ex4")
    hint("ex4")
    check("ex4")
"""

from k8swin_nb.workshop.colleague import colleague
from k8swin_nb.workshop.desk import check, hint, start
from k8swin_nb.workshop.looked import Checked, Condition, NotDone

__all__ = ["Checked", "Condition", "NotDone", "check", "colleague", "hint", "start"]
