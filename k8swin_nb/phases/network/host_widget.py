"""The form for hosts as widgets, see `host_form`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets as widgets

from k8swin_nb.errors import K8swinError
from k8swin_nb.phases.network.host_form import (
    FIELDS,
    KINDS,
    OF_SYSTEM,
    PLACES,
    SECRETS,
    Typed,
    change_of,
    code_of,
    description_of,
    host_from,
    how_to_keep,
    place_problem,
    plan_notes,
    problems,
    static_form,
)
from k8swin_nb.phases.network.host_trial import certificate_fingerprint, trial_table, try_host
from k8swin_nb.phases.network.widget_parts import (
    NOTHING_TYPED,
    Form,
    Writer,
    announced,
    button,
    choice,
    marked,
    row,
    sure,
    text_field,
    wrong,
)
from k8swin_nb.reading import whole
from k8swin_nb.tables import escaped, preformatted
from k8swin_nb.transports.hostkeys import HostKey, pin
from k8swin_nb.transports.jump import scan_through
from k8swin_nb.transports.ssh_config import configured

NEW = "a new host"

CERTIFICATE = """\
$listener = Get-ChildItem WSMan:\\localhost\\Listener | Where-Object { $_.Keys -contains 'Transport=HTTPS' }
$thumbprint = (Get-ChildItem "WSMan:\\localhost\\Listener\\$($listener.Name)" | Where-Object Name -eq CertificateThumbprint).Value
$certificate = Get-Item "Cert:\\LocalMachine\\My\\$($thumbprint -replace '[^0-9A-Fa-f]')"
$hash = [System.Security.Cryptography.SHA256]::Create().ComputeHash($certificate.RawData)
[System.BitConverter]::ToString($hash).Replace('-', '').ToLower()"""
"""What shows the fingerprint of the listener's certificate on a host's console, as docs/connections.md has it."""

PORTS = ("ssh_port", "winrm_port")

USUAL_PORTS = {"https": "5986", "http": "5985"}

NO_CERTIFICATE = (
    "over HTTP there is no certificate to pin: each message is encrypted under the login"
)

NOT_COMPARED = "nothing is pinned: compare it with the machine's console, and tick the box"

PASTED_KEY = "that is a private key itself, and it was not kept here; write the path of its file"


class HostForm(Form):
    """Fields for a host: it is tried, its key is pinned, where its secret is kept is chosen, and the description is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        names = [host.name for host in description_of(path).hosts]
        self.which = choice("Host", [NEW, *names], NEW)
        self.fields: dict[str, Any] = {
            "name": text_field("Name"),
            "os": choice("System", ["linux", "windows"], "windows"),
            "role": choice("Role", ["worker", "control-plane", "hypervisor"], "worker"),
            "winrm_scheme": choice("WinRM over", ["https", "http"], "https"),
        }
        for name, label in FIELDS.items():
            self.fields.setdefault(name, text_field(label))
        self.problems = {name: widgets.HTML() for name in (*FIELDS, "secret", "")}
        self.opens = choice("Secret", [("", "")], "")
        self.kind = choice("Is kept in", [(text, kind) for kind, text in KINDS.items()], "env")
        # Judged when it is left, and emptied when it may be the secret itself: no state keeps that.
        self.place = text_field(
            "Where", continuous_update=False, placeholder="not the secret itself"
        )
        self.keep = widgets.HTML()
        self.test = button("Test the host", self._test, told="Reads, changes nothing")
        self.tried = widgets.HTML()
        self.fetch = button("Fetch its key", self._fetch, told="Fetches the host key; pins nothing")
        self.seen = widgets.HTML()
        self.same = sure("The machine's own console shows the same")
        self.pin = button("Pin it", self._pin)
        self._key: HostKey | str | None = None
        self._shown = ""
        self._hindered: list[str] = []
        self.writer = Writer(self._written, self._judge)
        self._filling, self._kept = False, ""
        self._places: dict[str, str] = {}
        self.rows = {name: row(self.fields[name], self.problems[name]) for name in FIELDS}
        super().__init__(
            [
                self.which,
                *self.rows.values(),
                self.opens,
                row(self.kind, self.place, self.problems["secret"]),
                self.keep,
                self.problems[""],
                row(self.test, self.fetch),
                self.tried,
                self.seen,
                row(self.same, self.pin),
                self.writer,
            ],
            static_form(path),
        )
        self.secret_row = self.children[len(self.rows) + 2]
        self.which.observe(lambda _: self._fill(), names="value")
        self.fields["os"].observe(lambda _: self._of_system(), names="value")
        # Before it is judged: a name is no path, and a path no name.
        self.kind.observe(lambda change: self._of_kind(change["old"]), names="value")
        self.fields["winrm_scheme"].observe(lambda _: self._usual_port(), names="value")
        for entry in (*self.fields.values(), self.opens, self.kind, self.place):
            entry.observe(lambda _: self._judge(), names="value")
        self._fill()

    @property
    def chosen(self) -> str:
        """The name of the host that is changed; empty: a new one."""
        return "" if self.which.value == NEW else str(self.which.value)

    def typed(self) -> Typed:
        """Return the fields of the host that say something."""
        system = self.fields["os"].value
        others = OF_SYSTEM["linux" if system == "windows" else "windows"]
        values: Typed = {}
        for name, entry in self.fields.items():
            value = entry.value.strip()
            if not value or name in others:
                continue
            number = whole(value) if name in PORTS else None
            values[name] = value if number is None else number
        if self.opens.value and self.place.value.strip():
            values[self.opens.value] = f"{self.kind.value}:{self.place.value.strip()}"
        return values

    def _fill(self) -> None:
        """Show the chosen host in the fields."""
        self._filling = True
        self.problems[""].value = ""
        try:
            hosts = {host.name: host for host in description_of(self.path).hosts}
            host = hosts.get(self.chosen)
            self.fields["name"].disabled = host is not None
            for name, entry in self.fields.items():
                value = getattr(host, name) if host else self._at_first(name)
                entry.value = "" if value is None else str(value)
            self._of_system()
            secret = next(
                (
                    (field, getattr(host, field))
                    for field in SECRETS[self.fields["os"].value]
                    if host and field and getattr(host, field)
                ),
                None,
            )
            self._kept = secret[1] if secret else ""
            self._places.clear()
            if secret:
                kind, _, place = secret[1].partition(":")
                self.opens.value = secret[0]
                if kind in KINDS:
                    self.kind.value, self.place.value = kind, place
            else:
                self.place.value = ""
        except K8swinError as error:  # the file has become another one
            self.problems[""].value = wrong([str(error)])
            return
        finally:
            self._filling = False
        self._judge()

    def _at_first(self, name: str) -> Any:
        return {"os": "windows", "role": "worker", "winrm_scheme": "https", "ssh_port": 22, "winrm_port": 5986}.get(name)  # fmt: skip

    def _of_system(self) -> None:
        """Show the fields of the chosen system alone."""
        system = self.fields["os"].value
        for owner, names in OF_SYSTEM.items():
            for name in names:
                self.rows[name].layout.display = None if owner == system else "none"
        fields = SECRETS[system]
        self.opens.options = [(text, field) for field, text in fields.items()]
        self.opens.value = next(iter(fields))
        self.fetch.description = (
            "Fetch its key" if system == "linux" else "Fetch its certificate's fingerprint"
        )

    def _of_kind(self, before: str) -> None:
        """Show the place that was given for the chosen kind; what stands there for another kind is kept for that one."""
        if self._filling:
            return
        place = self.place.value.strip()
        # As everywhere: what may be the secret itself is not kept.
        if f"{before}:{place}" == self._kept or not place_problem(before, place):
            self._places[before] = place
        self._filling = True
        self.place.value = self._places.get(self.kind.value, "")
        self._filling = False
        self.problems["secret"].value = ""

    def _usual_port(self) -> None:
        scheme = self.fields["winrm_scheme"].value
        # A port of the site's own goes with neither and stays.
        if not self._filling and self.fields["winrm_port"].value in ("", *USUAL_PORTS.values()):
            self.fields["winrm_port"].value = USUAL_PORTS[scheme]

    def _judge(self) -> None:
        if self._filling:
            return
        # What was found out is about what stood in the fields then.
        self.tried.value = ""
        self._forget()
        self.secret_row.layout.display = None if self.opens.value else "none"
        for name, entry in self.fields.items():
            if "PRIVATE KEY" in entry.value:
                entry.value = ""  # it is judged again, without what was pasted
                self.problems[name].value = wrong([PASTED_KEY])
                return
        place, bad = self.place.value.strip(), ""
        if self.opens.value and f"{self.kind.value}:{place}" != self._kept:
            bad = place_problem(self.kind.value, place)
            if bad and place:
                self.place.value = ""  # it is judged again, without what was typed
                self.problems["secret"].value = wrong([bad])
                return
        typed = self.typed()
        found = problems(self.path, self.chosen, typed)
        secret = [t for f, texts in found.items() if f not in FIELDS and f for t in texts]
        for name in FIELDS:
            texts = found.get(name, [])
            if not self.chosen and name not in typed and texts:
                self.problems[name].value = announced(escaped("is still missing"))
            else:
                self.problems[name].value = wrong(texts)
        if self.opens.value and place:
            self.problems["secret"].value = wrong(secret)
        elif self.opens.value and not self.problems["secret"].value:
            told = f"is still missing: {PLACES[self.kind.value]}; not the secret itself"
            self.problems["secret"].value = announced(escaped(told))
        self.problems[""].value = wrong(found.get("", []))
        if not found and (notes := plan_notes(self.path, self.chosen, typed)):
            self.problems["address"].value = announced(marked(notes, "waiting"))
        kept = self.opens.value and place
        how = how_to_keep(self.kind.value, place, self.path.parent) if kept else ""
        self.keep.value = (
            f"<div>To keep it there, type in a terminal:</div>{preformatted(how)}" if how else ""
        )
        self._hindered = [
            f"{FIELDS[name]}: {'is still missing' if name not in typed else texts[0]}"
            if name in FIELDS
            else texts[0]
            for name, texts in found.items()
        ]
        self._show_change(typed, bool(found or bad))

    def _show_change(self, typed: Typed, hindered: bool) -> None:
        if hindered:
            self.writer.show(
                None, "", "When nothing is missing or wrong, the change is shown here."
            )
            return
        try:
            change = change_of(self.path, self.chosen, typed)
        except K8swinError as error:
            self.writer.show(None, "", str(error))
            return
        self.writer.show(change, code_of(self.path, self.chosen, typed), NOTHING_TYPED)

    def _test(self) -> None:
        if self._hindered:
            self.tried.value = wrong(["nothing is tried before this is right:", *self._hindered])
            return
        self.tried.value = announced("the host is tried ...")
        try:
            host = host_from(self.path, self.chosen, self.typed())
            self.tried.value = announced(trial_table(host, try_host(host))._repr_html_())
        except K8swinError as error:
            self.tried.value = wrong([str(error)])

    def _fetch(self) -> None:
        self._forget()
        if self._hindered:
            self.seen.value = wrong(["nothing is fetched before this is right:", *self._hindered])
            return
        self.seen.value = announced("it is fetched ...")
        try:
            host = configured(host_from(self.path, self.chosen, self.typed()))
            if host.os == "windows":
                seen, console = certificate_fingerprint(host), CERTIFICATE
                if not seen:
                    self.seen.value = announced(escaped(NO_CERTIFICATE))
                    return
                self._key = seen
            else:
                key = scan_through(host)
                self._key, seen = key, f"{key.algorithm} {key.fingerprint}"
                kind = key.algorithm.removeprefix("ssh-").partition("-")[0]
                console = f"ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub"
        except K8swinError as error:
            told = [str(error), *([error.hint] if error.hint else [])]
            self.seen.value = wrong(told)
            return
        self.seen.value = self._shown = announced(
            f"<p>{escaped(host.name)} shows <code>{escaped(seen)}</code></p>"
            f"<p>On the machine's own console:</p>{preformatted(console)}"
        )

    def _forget(self) -> None:
        self._key, self.seen.value, self.same.value = None, "", False

    def _pin(self) -> None:
        if self._key is None:
            self.same.value = False
            self.seen.value = wrong([f"nothing is pinned: press `{self.fetch.description}` first"])
            return
        if not self.same.value:
            self.seen.value = self._shown + wrong([NOT_COMPARED])
            return
        if isinstance(self._key, str):
            # A certificate is pinned in the description.
            self.fields["winrm_fingerprint"].value, self.fields["ca"].value = self._key, ""
            self._forget()
            self.seen.value = announced(marked(["it stands in the field Certificate now"], "ok"))
            return
        try:
            host = configured(host_from(self.path, self.chosen, self.typed()))
            pin(host, self._key)
        except K8swinError as error:
            self.seen.value = wrong([str(error)])
            return
        told = f"{self._key.fingerprint} is pinned in {host.known_hosts}"
        self._forget()
        self.seen.value = announced(marked([told], "ok"))

    def _written(self) -> None:
        names = [host.name for host in description_of(self.path).hosts]
        name = self.chosen or self.fields["name"].value.strip()
        self.which.options = [NEW, *names]
        self.which.value = name
