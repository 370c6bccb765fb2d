"""One container of a pod: pulled, started, probed, restarted, with the status that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.environment import MissingReference, environment
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.node import Container, SystemHost
from k8swin_lab.kubernetes.probes import probe
from k8swin_lab.kubernetes.system_images import system_container

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.pod_runtime import PodRuntime

_FIRST_BACK_OFF = 10.0
_LONGEST_BACK_OFF = 300.0


class ContainerRuntime:
    """State of one container; `init` containers run once and to their end, but for sidecars, which go on beside the others."""

    def __init__(self, pod: PodRuntime, spec: Object, *, init: bool = False) -> None:
        self.pod = pod
        self.spec = spec
        self.init = init
        self.sidecar = init and spec.get("restartPolicy") == "Always"
        self._begun = False
        self.container: Container | None = None
        behind = bool(pod.obj["spec"].get("initContainers")) and not init
        self.waiting: tuple[str, str] = ("PodInitializing" if behind else "ContainerCreating", "")
        self.terminated: Object | None = None
        self.last: Object | None = None
        self.previous_log: str | None = None
        self.log_before: str | None = None
        self.restarts = 0
        self.started_at = 0.0
        self.ready = False
        self._pulled = False
        self._start_at: float | None = None
        self._retry_at = 0.0
        self._back_off = _FIRST_BACK_OFF
        self._live_failures = 0
        self._probed_at = 0.0
        self._id = ""

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    def running(self) -> bool:
        return self.container is not None

    def initialized(self) -> bool:
        """Whether what comes after this init container may start."""
        if self.sidecar:
            return self._begun
        return self.terminated is not None and self.terminated["exitCode"] == 0

    def finished(self) -> bool:
        """Whether it has ended and will not start again."""
        if self.container is not None or self.terminated is None:
            return False
        return self._policy() == "Never" or (
            self.terminated["exitCode"] == 0 and self._policy() == "OnFailure"
        )

    def _policy(self) -> str:
        if self.sidecar:
            return "Always"
        policy = str(self.pod.obj["spec"]["restartPolicy"])
        return "OnFailure" if self.init and policy == "Always" else policy

    def _event(self, reason: str, message: str, *, warning: bool = False) -> None:
        kind = "initContainers" if self.init else "containers"
        field = f"spec.{kind}{{{self.name}}}"
        self.pod.event(reason, message, warning=warning, field=field)

    def sync(self) -> None:
        """Do what is due: pull, start, probe, restart."""
        if self.finished():
            return
        if self.container is not None:
            self._watch(self.container)
            return
        now = self.pod.now()
        if now < self._retry_at:
            self.pod.wake_in(self._retry_at - now)
            return
        if not self._pulled and not self._pull():
            return
        if self._start_at is None:
            self._start_at = now + self.pod.start_delay
        if now < self._start_at:
            self.pod.wake_in(self._start_at - now)
            return
        self._start()

    def _pull(self) -> bool:
        image = self.spec["image"]
        if self.waiting[0] == "ImagePullBackOff":
            self.waiting = ("ErrImagePull", self.waiting[1])
        problem = self.pod.machine.pull(image)
        if problem is None:
            self._pulled = True
            self._back_off = _FIRST_BACK_OFF
            self.waiting = ("ContainerCreating", "")
            self._event("Pulled", f'Container image "{image}" already present on machine')
            return True
        text = f'Failed to pull image "{image}": {problem}'
        self._event("Failed", text, warning=True)
        self._event("Failed", "Error: ErrImagePull", warning=True)
        if self.waiting[0] == "ErrImagePull":
            text = f'Back-off pulling image "{image}": ErrImagePull: {problem}'
            self._event("BackOff", f'Back-off pulling image "{image}"')
            self.waiting = ("ImagePullBackOff", text)
        else:
            # The first failure shows as itself for a moment; the next look turns it to back-off.
            self.waiting = ("ErrImagePull", problem)
            self._retry_at = self.pod.now() + 1.0
            self.pod.wake_in(1.0)
            return False
        self._wait_longer()
        return False

    def _wait_longer(self) -> None:
        self._retry_at = self.pod.now() + self._back_off
        self.pod.wake_in(self._back_off)
        self._back_off = min(self._back_off * 2, _LONGEST_BACK_OFF)

    def _start(self) -> None:
        pod, machine = self.pod.shown(), self.pod.machine
        self._start_at = None
        try:
            variables = environment(self.pod.cluster, pod, self.spec)
            known = system_container(self.spec)
            if known is not None and isinstance(machine, SystemHost):
                machine.system_started(str(self.spec["image"]))
            started = known or machine.start_container(pod, self.spec, variables)
        except MissingReference as error:
            self.waiting = ("CreateContainerConfigError", str(error))
            self._event("Failed", f"Error: {error}", warning=True)
            self._retry_at = self.pod.now() + 2.0
            self.pod.wake_in(2.0)
            return
        except RuntimeError as error:
            self.waiting = ("RunContainerError", str(error))
            self._event("Failed", f"Error: {error}", warning=True)
            self._wait_longer()
            return
        self.container = started
        self.terminated = None
        self.started_at = self.pod.now()
        self._live_failures = 0
        self._id = self.pod.new_id()
        self._event("Created", f"Container created: {self.name}")
        self._event("Started", f"Container started: {self.name}")
        self._watch(started)

    def _watch(self, container: Container) -> None:
        code = container.exit_code()
        if code is not None:
            self._ended(container, code)
            return
        if self.init and not self.sidecar:
            self.pod.wake_in(0.2)
            return
        self._begun = True
        self._probe(container)

    def _probe(self, container: Container) -> None:
        now = self.pod.now()
        readiness = self.spec.get("readinessProbe")
        if readiness is None:
            self.ready = True
        else:
            problem = probe(readiness, self.spec, container, self.pod.address or "")
            if problem and (self.ready or now - self._probed_at >= readiness["periodSeconds"]):
                self._event("Unhealthy", f"Readiness probe failed: {problem}", warning=True)
                self._probed_at = now
            self.ready = problem is None
            self.pod.wake_in(min(1.0, readiness["periodSeconds"]))
        liveness = self.spec.get("livenessProbe")
        if liveness is None:
            return
        begin = self.started_at + liveness.get("initialDelaySeconds", 0)
        due = begin + self._live_failures * liveness["periodSeconds"]
        if now < due:
            return
        problem = probe(liveness, self.spec, container, self.pod.address or "")
        if problem is None:
            self._live_failures = 0
            return
        self._live_failures += 1
        self._event("Unhealthy", f"Liveness probe failed: {problem}", warning=True)
        self.pod.wake_in(liveness["periodSeconds"])
        if self._live_failures >= liveness["failureThreshold"]:
            text = f"Container {self.name} failed liveness probe, will be restarted"
            self._event("Killing", text)
            container.stop()
            self._ended(container, 137)

    def _ended(self, container: Container, code: int) -> None:
        self.log_before = self.previous_log = container.logs()
        self.container = None
        self.ready = False
        self.terminated = {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "startedAt": timestamps.rfc3339(self.started_at),
            "finishedAt": timestamps.rfc3339(self.pod.now()),
            "containerID": self._id,
        }
        if self.finished() or (self.init and code == 0 and not self.sidecar):
            return
        self.last = self.terminated
        self.restarts += 1
        if self.restarts > 1 or self.pod.now() - self.started_at < _FIRST_BACK_OFF:
            seconds = int(self._back_off)
            own = self.pod.obj["metadata"]
            text = (
                f"back-off {seconds}s restarting failed container={self.name} "
                f"pod={own['name']}_{own['namespace']}({own['uid']})"
            )
            self.waiting = ("CrashLoopBackOff", text)
            self._event("BackOff", text[:1].upper() + text[1:], warning=True)
            self.terminated = None
            self._wait_longer()
        else:
            self.terminated = None
            self.waiting = ("ContainerCreating", "")

    def lost(self) -> None:
        """The machine rebooted: what ran is gone and starts again."""
        if self.container is None:
            return
        self._ended(self.container, 255)
        self.waiting = ("ContainerCreating", "")
        self._retry_at = 0.0

    def stop(self) -> None:
        if self.container is not None:
            self.container.stop()
            self.previous_log = self.container.logs()
            self.container = None
            self.ready = False

    def log(self, *, previous: bool) -> str | None:
        if previous:
            return self.log_before
        if self.container is not None:
            return self.container.logs()
        return self.previous_log

    def status(self) -> Object:
        """Return the entry of containerStatuses."""
        state: Object
        if self.container is not None:
            state = {"running": {"startedAt": timestamps.rfc3339(self.started_at)}}
        elif self.terminated is not None:
            state = {"terminated": self.terminated}
        else:
            reason, message = self.waiting
            state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        ready = self.ready
        if self.init and not self.sidecar:
            ready = bool(self.terminated and self.terminated["exitCode"] == 0)
        return {
            "name": self.name,
            "state": state,
            "lastState": {"terminated": self.last} if self.last else {},
            "ready": ready,
            "restartCount": self.restarts,
            "image": self.spec["image"],
            "imageID": self.spec["image"] if self._pulled else "",
            "started": self.container is not None,
            **({"containerID": self._id} if self._id else {}),
        }
