"""Phase 01: the network plan, every host reached and looked at, and the hypervisors' protection out of the way."""

from __future__ import annotations

from k8swin_nb.phases.network import views as network
from k8swin_nb.phases.network.anti_spoofing import (
    check_attested,
    encapsulated,
    record_attestation,
    vm_names,
)
from k8swin_nb.phases.network.plan_file import NETWORKS, check_saved_plan, save_plan
from k8swin_nb.phases.preflight.checks import LINUX, WINDOWS, preflight
from k8swin_nb.phases.preflight.together import check_together, not_a_node
from k8swin_nb.phases.preflight.views import VIEWS as PREFLIGHT
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import Step

PHASE = Phase(
    name="01_network",
    title="The network plan holds and every host is fit for it",
    views=network.VIEWS | PREFLIGHT,
    parts={
        "The plan is saved and every host answers": ("plan", "reach-linux", "reach-windows"),
        "Nothing on the hosts stands in the way": (
            "preflight-linux",
            "preflight-windows",
            "hosts-together",
        ),
        "Nodes may send with their pods' addresses": ("mac-spoofing", "anti-spoofing"),
    },
    steps=(
        Step(
            name="plan",
            title="The plan is saved",
            on="control-plane",
            check=check_saved_plan,
            apply=save_plan,
            runs=(NETWORKS,),
        ),
        Step(
            name="reach-linux",
            title="Every Linux host answers over SSH",
            on="linux",
            check="linux/reach.check.sh",
            timeout=60,
        ),
        Step(
            name="reach-windows",
            title="Every Windows host answers over WinRM",
            on="windows",
            check="windows/reach.check.ps1",
            timeout=60,
        ),
        Step(
            name="preflight-linux",
            title="Nothing on the Linux hosts stands in the way",
            on="linux",
            check=preflight(api_expected=False, alone=True),
            on_failure="preflight",
            runs=(LINUX,),
            when=not_a_node,
        ),
        Step(
            name="preflight-windows",
            title="Nothing on the Windows hosts stands in the way",
            on="windows",
            check=preflight(api_expected=False, alone=True),
            on_failure="preflight",
            runs=(WINDOWS,),
            when=not_a_node,
        ),
        Step(
            name="hosts-together",
            title="The hosts fit together",
            on="control-plane",
            check=check_together,
            on_failure="preflight",
            runs=(LINUX, WINDOWS),
        ),
        Step(
            name="mac-spoofing",
            title="The Hyper-V host lets workers send with their pods' addresses",
            on="hypervisor",
            check="windows/mac_spoofing.check.ps1",
            apply="windows/mac_spoofing.apply.ps1",
            values=vm_names,
            when=encapsulated,
        ),
        Step(
            name="anti-spoofing",
            title="Other platforms let nodes send with their pods' addresses",
            on="control-plane",
            check=check_attested,
            apply=record_attestation,
            when=encapsulated,
        ),
    ),
)
