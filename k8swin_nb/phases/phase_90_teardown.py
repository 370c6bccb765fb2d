"""Phase 90: what these notebooks made is taken back, workers first, the network of Windows last."""

from __future__ import annotations

from k8swin_nb.phases.linux.control_plane import MASTER
from k8swin_nb.phases.teardown import removal
from k8swin_nb.phases.teardown.removal import (
    cluster_stays,
    first,
    gone,
    no_api,
    not_asked,
    on_master,
    removed,
    through_master,
)
from k8swin_nb.phases.windows.detached import await_hns_removal
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import Step

WORKERS = "worker+target"


WINDOWS = "windows+worker+target"


LINUX_WORKERS = "linux+worker+target"


LINUX = "linux+node+target"


CLASSIC = {
    "runtime-windows": removed(
        "runtime-windows",
        "The container runtime of Windows workers is as it was found",
        WINDOWS,
        "windows/docker_removed",
        timeout=1800,
    )
}
"""What the classic profile does in another way: Docker."""


PHASE = Phase(
    together=True,
    name=removal.NAME,
    title="What was made here is removed",
    narrows=True,
    confirmed_by="confirm",
    before_change=removal.write_confirmation,
    variants={"classic": CLASSIC},
    steps=(
        Step(
            name="cluster",
            title="The cluster is the planned one",
            on=MASTER,
            check=removal.check_cluster,
            runs=("linux/cluster_identity.check.sh", "linux/api_state.check.sh"),
        ),
        Step(
            name="workers",
            title="The workers are this cluster's",
            on=WORKERS,
            check=removal.check_worker,
            runs=(
                "linux/cluster_identity.check.sh",
                "windows/cluster_identity.check.ps1",
                "linux/node_state.check.sh",
            ),
        ),
        Step(
            name="confirm",
            title="The removal is confirmed",
            on=MASTER,
            check=removal.check_confirmation,
            apply=removal.demand_confirmation,
            when=removal.preview,
        ),
        removed(
            "apps",
            "The test app and the dashboard are gone",
            MASTER,
            "linux/apps_removed",
            when=first(cluster_stays, no_api),
            timeout=600,
        ),
        Step(
            name="drain",
            title="The workers are drained",
            on=WORKERS,
            check=on_master("linux/drained.check.sh"),
            apply=through_master(
                "linux/drained.apply.sh",
                "this worker still has all it had; delete or move what holds it up, then run again",
            ),
            runs=("linux/drained.check.sh", "linux/drained.apply.sh"),
            when=first(gone, no_api),
            in_turn=True,
        ),
        removed(
            "services-stopped",
            "Nothing of Kubernetes runs on Windows workers",
            WINDOWS,
            "windows/services_stopped",
            wait=30,
        ),
        removed(
            "reset-windows",
            "kubeadm's work is taken back on Windows workers",
            WINDOWS,
            "windows/reset",
            timeout=600,
        ),
        removed(
            "reset-linux",
            "kubeadm's work is taken back on Linux workers",
            LINUX_WORKERS,
            "linux/reset",
            timeout=600,
        ),
        Step(
            name="nodes",
            title="The workers' nodes are gone from the cluster",
            on=WORKERS,
            check=on_master("linux/node_removed.check.sh"),
            apply=through_master(
                "linux/node_removed.apply.sh",
                "see what the API server says, then run again",
            ),
            runs=("linux/node_removed.check.sh", "linux/node_removed.apply.sh"),
            when=no_api,
            wait=30,
        ),
        removed(
            "services", "The services are gone", WINDOWS, "windows/services_removed", timeout=300
        ),
        removed(
            "runtime-windows",
            "The container runtime of Windows workers is as it was found",
            WINDOWS,
            "windows/runtime_removed",
            timeout=1800,
        ),
        Step(
            name="hns",
            title="The HNS networks are gone and the address is back on its adapter",
            on=WINDOWS,
            check="windows/hns_removed.check.ps1",
            apply=await_hns_removal,
            runs=(
                "windows/hns_removed.apply.ps1",
                "windows/hns_removed.job.ps1",
                "windows/job.status.ps1",
            ),
            when=gone,
            wait=60,
        ),
        removed(
            "api-name",
            "The control plane's name is gone from the hosts file of Windows workers",
            WINDOWS,
            "windows/api_name_removed",
        ),
        removed(
            "firewall",
            "The firewall rules are gone",
            WINDOWS,
            "windows/firewall_removed",
        ),
        removed(
            "files",
            "Folders, files and the PATH entry are gone",
            WINDOWS,
            "windows/files_removed",
            timeout=1800,
        ),
        removed(
            "reset-master",
            "kubeadm's work is taken back on the master",
            MASTER,
            "linux/reset",
            when=cluster_stays,
            timeout=600,
        ),
        removed(
            "pod-network",
            "The pod network is gone from Linux hosts",
            LINUX,
            "linux/pod_network_removed",
        ),
        removed(
            "iptables",
            "The chains of Kubernetes are gone from iptables",
            LINUX,
            "linux/iptables_removed",
            when=first(gone, not_asked("remove_iptables")),
        ),
        removed(
            "runtime-linux",
            "The container runtime of Linux hosts is as it was found",
            LINUX,
            "linux/runtime_restored",
        ),
        Step(
            name="host-settings",
            title="The settings of Linux hosts are back",
            on=LINUX,
            check=removal.check_host_settings,
            apply=removal.restore_host_settings,
            runs=(
                "linux/host_settings_restored.check.sh",
                "linux/kubeconfig.check.sh",
                "linux/kubeconfig_removed.apply.sh",
                "linux/host_settings_restored.apply.sh",
            ),
            when=gone,
        ),
        removed(
            "packages",
            "Packages are released and their sources are gone",
            LINUX,
            "linux/packages_released",
            timeout=900,
        ),
        removed(
            "records",
            "The records are gone, and what stays is known",
            LINUX,
            "linux/records_removed",
        ),
    ),
)
