"""A notebook's parameters: what papermill and a person put into the kernel, completed and checked."""

import json

import pytest
import yaml

from k8swin_nb.description import check_description
from k8swin_nb.errors import ParamsError
from k8swin_nb.notebook import notebook_parameters
from k8swin_nb.notebook.given import Executed, saved_cells
from k8swin_nb.notebook.given import given as given_by
from k8swin_nb.notebook.notebook_parameters import (
    NotebookParameters,
    collect,
    require_target,
)
from tests.test_description import MASTER, WORKER, described

DECLARED = 'params_file: str = "params/own.yaml"  # the description\nip: str = None  # the worker\n'


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "own.yaml").write_text(yaml.safe_dump(described(cluster_name="own")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def given(**values):
    """Return what ran in a kernel after papermill injected `values`."""
    injected = "# Parameters\n" + "\n".join(f"{name} = {value!r}" for name, value in values.items())
    return ran(DECLARED, injected)


def ran(*cells, tags=None, saved=None):
    """Return what there is after cells have run, as a kernel has it: one is empty, the first."""
    namespace = {}
    for cell in cells:
        if not cell.startswith("%%"):
            exec(cell, namespace)
    return Executed(["", *cells], namespace, tags or {}, saved or {})


KNOWN = {"params_file", "ip", "topology", "host", "hosts", "dry_run", "run_id", "cluster_name"}


def values(*cells, **how):
    return dict(given_by(ran(*cells, **how), KNOWN).values)


def refusal(**values) -> ParamsError:
    with pytest.raises(ParamsError) as caught:
        collect(given(**values))
    return caught.value


def test_what_is_not_given_comes_from_the_file(project):
    mine, description, _ = collect(given())
    assert description.cluster_name == "own"
    assert mine == NotebookParameters(params_file="params/own.yaml")


def test_what_is_given_wins_over_the_file(project):
    _, description, _ = collect(given(kubernetes_version="1.35.8"))
    assert (description.cluster_name, description.kubernetes_version) == ("own", "1.35.8")


def test_given_hosts_keep_the_file_out(project):
    (project / "params" / "own.yaml").unlink()
    _, description, _ = collect(given(**described()))
    assert description.cluster_name == "k8swin"


def test_a_misspelt_parameter_stops_the_run_and_is_named(project):
    error = refusal(kubernets_version="1.36.4")
    assert "`kubernets_version`" in str(error)
    assert "`kubernetes_version`" in error.hint


def test_a_version_that_papermill_turned_into_a_number_is_named(project):
    error = refusal(kubernetes_version=1.3)
    assert "`kubernetes_version` arrived as the number 1.3" in str(error)


@pytest.mark.parametrize(
    ("name", "value"),
    [("dry_run", "yes"), ("ip", 192.168), ("run_id", 7), ("reason", 4711), ("sign", True)],
)
def test_a_mistyped_parameter_of_the_notebook_is_named(project, name, value):
    error = refusal(**{name: value})
    assert f"`{name}` arrived as {type(value).__name__}" in str(error)
    # papermill takes `True` for a truth value, and `true` for text.
    assert (f"-p {name} True" if name == "dry_run" else name) in error.hint


def test_a_missing_file_names_what_to_do(project):
    (project / "params" / "own.yaml").unlink()
    assert "`params_file`" in refusal().hint


OTHERS = [
    'topology = "vxlan"',
    'for host in ("a", "b"):\n    ip = host',
    'note = "from " + params_file\ntopology: str = "vxlan"',
    'params_file = "params/other.yaml"',
    'params_file = "params/other.yaml"\nphase = 1\ntopology = "l3"',
    "%%bash\nparams_file=x",
    "def topology(): ...",
    "import os as topology",
]


@pytest.mark.parametrize("other", OTHERS)
def test_a_variable_of_another_cell_is_nobodys_parameter_whatever_it_is_called(other):
    kept = {"params_file": "params/own.yaml"}
    assert values(DECLARED, other) == kept
    assert values(DECLARED, other, OTHERS[0]) == kept
    injected = "# Parameters\nip = '10.1.0.3'"
    assert values(DECLARED, injected, other) == {**kept, "ip": "10.1.0.3"}
    assert "phase" not in given_by(ran(DECLARED, other), KNOWN).names


def test_a_variable_that_looks_like_a_parameter_is_told_of_with_its_cell():
    assert given_by(ran(DECLARED, "x = 1", OTHERS[0]), KNOWN).others == {"topology": 3}
    assert given_by(ran(OTHERS[0], DECLARED), KNOWN).others == {"topology": 1}
    assert given_by(ran(DECLARED, 'params_file = "params/own.yaml"'), KNOWN).others == {}


def test_the_newest_run_of_the_parameters_cell_counts_and_what_was_deleted_is_not_given():
    typed = DECLARED + 'topology: str = "vxlan"\n'
    assert values(DECLARED, typed)["topology"] == "vxlan"
    assert "topology" not in values(DECLARED, typed, DECLARED)
    wrong = DECLARED + "topologi: str = 'l3'\n"
    assert "topologi" in given_by(ran(wrong), KNOWN).names
    assert "topologi" not in given_by(ran(wrong, DECLARED), KNOWN).names


def test_what_papermill_injected_holds_until_the_parameters_cell_runs_again():
    injected = "# Parameters\nip = '10.1.0.3'\ndry_run = True"
    assert values(DECLARED, injected) == {
        "params_file": "params/own.yaml",
        "ip": "10.1.0.3",
        "dry_run": True,
    }
    assert values(DECLARED, injected, DECLARED) == {
        "params_file": "params/own.yaml",
        "dry_run": True,
    }


HERE = "# This notebook: write = and a value behind a name\nip: str{}  # the worker\nparams_file: str\ndry_run: bool\n"


def test_what_is_declared_without_a_value_sets_nothing_and_leaves_what_papermill_gave():
    assert values(DECLARED, HERE.format("")) == {"params_file": "params/own.yaml"}
    injected = '# Parameters\nip = "10.1.0.4"\n'
    assert values(DECLARED, injected, HERE.format(""))["ip"] == "10.1.0.4"


def test_a_value_that_is_set_at_a_desk_stands_above_the_notebook_s_defaults():
    here = HERE.format(' = "10.1.0.3"')
    assert values(DECLARED, here) == {"params_file": "params/own.yaml", "ip": "10.1.0.3"}
    # Whichever ran last, and whatever the front end tells of tags.
    assert values(here, DECLARED)["ip"] == "10.1.0.3"
    assert values(DECLARED, here, tags={2: ["this-notebook"]})["ip"] == "10.1.0.3"
    assert "ip" not in values(DECLARED, here, HERE.format(""))


def test_what_papermill_gave_wins_over_what_is_set_at_a_desk_and_that_is_told():
    injected = '# Parameters\nip = "10.1.0.4"\n'
    told = given_by(ran(DECLARED, injected, HERE.format(' = "10.1.0.3"')), KNOWN)
    assert (told.values["ip"], told.overruled) == ("10.1.0.4", {"ip"})
    told = given_by(ran(DECLARED, injected, HERE.format(' = "10.1.0.4"')), KNOWN)
    assert (told.values["ip"], told.overruled) == ("10.1.0.4", set())


def test_tags_make_a_parameters_cell_of_any_shape():
    plain = 'topology = "l3"'
    assert values(plain) == {}
    assert values(plain, tags={1: {"parameters"}}) == {"topology": "l3"}
    assert values(plain, saved={plain: "parameters"}) == {"topology": "l3"}
    assert values(plain, plain, "topology = 'vxlan'", tags={2: {"parameters"}}) == {
        "topology": "l3"
    }


def test_where_the_front_end_tells_tags_a_cell_without_one_is_no_parameters_cell():
    alike = 'params_file: str = "params/other.yaml"'
    assert values(DECLARED, alike) == {"params_file": "params/other.yaml"}
    tags = {2: {"setup"}, 3: set()}
    assert values(DECLARED, "phase = 1", alike, tags=tags) == {"params_file": "params/own.yaml"}


def test_a_notebook_of_ones_own_names_its_description_in_any_cell():
    both = 'params_file = "params/a.yaml"\nphase = 1\nip = "10.1.0.3"'
    assert values(OTHERS[0], both) == {"params_file": "params/a.yaml", "ip": "10.1.0.3"}
    assert values(both, 'params_file = "params/b.yaml"') == {"params_file": "params/b.yaml"}
    assert "phase" not in given_by(ran(both, both), KNOWN).names


def test_a_parameters_cell_that_never_ran_is_missed_where_the_notebook_is_saved():
    with pytest.raises(ParamsError, match="has not run in this kernel"):
        values("x = 1", saved={DECLARED.strip(): "parameters"})


def test_a_value_that_was_worked_out_holds_as_long_as_no_other_cell_has_touched_it():
    cell = 'params_file: str = "params/" + "own.yaml"\nip: str = None\n'
    assert values(cell, "x = 1") == {"params_file": "params/own.yaml"}
    with pytest.raises(ParamsError, match=r"cell \[2\] has assigned it since") as caught:
        values(cell, "for params_file in ('a', 'b'): pass")
    assert "run the parameters cell again" in caught.value.hint
    assert values(cell, "params_file = 'a'", cell) == {"params_file": "params/own.yaml"}


@pytest.mark.parametrize(
    "line",
    [
        'params_file, dry_run = "params/own.yaml", True',
        "if True:\n    dry_run = True",
        "dry_run = False\ndry_run |= True",
        "print(dry_run := True)",
        "from sys import flags as dry_run",
    ],
)
def test_what_a_parameters_cell_sets_in_another_way_is_refused_and_not_passed_over(line):
    with pytest.raises(ParamsError, match=r"cell \[2\] sets `dry_run` otherwise"):
        values(DECLARED, f"# This notebook\n{line}")
    # In any other cell it is a variable of the user's, and that is told.
    assert given_by(ran(DECLARED, line), KNOWN).others["dry_run"] == 2


def test_what_loops_and_functions_of_a_parameters_cell_call_their_own_sets_nothing():
    cell = """# This notebook
hosts = []
for ip in ("10.1.0.2", "10.1.0.3"):
    hosts.append({"address": ip})
twice = [host for host in hosts]
def f(topology): cluster_name = topology"""
    assert values(DECLARED, cell) == {
        "params_file": "params/own.yaml",
        "hosts": [{"address": "10.1.0.2"}, {"address": "10.1.0.3"}],
    }


def test_the_saved_notebook_tells_its_parameters_cells_and_a_broken_one_none(tmp_path):
    path = tmp_path / "a.ipynb"
    cells = [
        {
            "cell_type": "code",
            "metadata": {"tags": ["parameters"]},
            "source": ["a = 1\n", "b = 2\n"],
        },
        {"cell_type": "code", "metadata": {"tags": ["injected-parameters"]}, "source": "c = 3"},
        {"cell_type": "markdown", "metadata": {"tags": ["parameters"]}, "source": "no"},
    ]
    path.write_text(json.dumps({"cells": cells}))
    assert saved_cells(path) == {"a = 1\nb = 2": "parameters", "c = 3": "injected-parameters"}
    for broken in ('{"cells": [', "[]", '{"cells": [1]}', '{"cells": {}}', ""):
        path.write_text(broken)
        assert saved_cells(path) == {}
    assert saved_cells(tmp_path / "gone.ipynb") == {} and saved_cells(None) == {}


def test_a_call_names_parameters_of_its_own_and_they_win(project):
    mine, description, _ = collect(given(ip="10.1.0.9"), {"ip": "10.1.0.3", "topology": "vxlan"})
    assert (mine.ip, description.topology) == ("10.1.0.3", "vxlan")
    with pytest.raises(ParamsError, match="unknown parameter `topologi`"):
        collect(given(), {"topologi": "l3"})


@pytest.mark.parametrize(
    ("ip", "told"),
    [
        (None, "`ip` is missing"),
        ("10.1.0.2", "is the address of `linuxmaster`, the linux control-plane"),
        ("10.1.0.9", "no host of the parameters"),
    ],
)
def test_the_worker_to_join_must_be_one(ip, told):
    description = check_description(described(hosts=[MASTER, WORKER]))
    with pytest.raises(ParamsError, match=told) as caught:
        require_target(NotebookParameters(ip=ip), description, "windows")
    assert "10.1.0.3 (winworker01)" in caught.value.hint


@pytest.mark.parametrize(
    ("desk", "told", "kept"),
    [
        (True, 'set `ip = "ADDRESS"` in the parameters cell', "-p"),
        (False, "`-p ip ADDRESS`", "cell"),
    ],
)
def test_a_hint_says_how_a_parameter_is_given_where_the_reader_is(monkeypatch, desk, told, kept):
    monkeypatch.setattr(notebook_parameters, "is_interactive", lambda: desk)
    description = check_description(described(hosts=[MASTER, WORKER]))
    with pytest.raises(ParamsError) as caught:
        require_target(NotebookParameters(), description, "windows")
    assert told in caught.value.hint and kept not in caught.value.hint


def test_a_password_as_a_parameter_is_refused_without_its_value_and_without_a_guess(project):
    error = refusal(windows_password="S3cret-zz")
    text = "\n".join(error.lines())
    assert "`windows_password` looks like a secret" in text and "env:NAME" in text
    assert "delete the executed notebook" in text
    assert "S3cret" not in text and "did you mean" not in text


def test_without_a_project_nothing_is_begun_and_the_error_says_what_is_missing(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    error = refusal(**described())
    assert f"no project is at or above `{tmp_path}`" in str(error)
    assert "-p params_file /FOLDER/params/NAME.yaml" in error.hint
    assert list(tmp_path.iterdir()) == []


def test_outside_of_a_project_the_descriptions_folder_is_where_paths_start(
    project, tmp_path_factory, monkeypatch
):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    own = str(project / "params" / "own.yaml")
    _, description, _ = collect(given(**described(), params_file=own))
    assert description.folder == project / "params"
    assert description.state == project / ".k8swin"


def test_a_run_id_that_leads_elsewhere_is_refused(project):
    assert "is no name of a folder" in str(refusal(run_id="../x"))


@pytest.mark.parametrize(
    "sign", ["", "ssh", "ssh:", "gpg:/key", "ssh: /key", "SIGSTORE", "sigstore:x"]
)
def test_a_way_to_sign_that_is_none_is_refused_before_anything_is_opened(project, sign):
    error = refusal(sign=sign)
    assert "expected `ssh:PATH`, `certificate:PATH` or `sigstore`" in str(error)


def test_a_reason_is_bounded(project):
    assert "has 1001 characters" in str(refusal(reason="x" * 1001))


def test_several_workers_are_named_with_commas_or_as_a_list(project):
    values = described()
    second = {**WORKER, "name": "winworker02", "address": "10.1.0.4"}
    values["hosts"] = [*values["hosts"], second]
    (project / "params" / "own.yaml").write_text(yaml.safe_dump(values))

    def target(ip):
        return require_target(*collect(given(ip=ip))[:2], "windows")

    for ip in ("10.1.0.3, 10.1.0.4", ["10.1.0.3", "10.1.0.4"], "10.1.0.3,10.1.0.4,10.1.0.3"):
        assert target(ip) == "10.1.0.3,10.1.0.4"
    with pytest.raises(ParamsError, match=r"10\.9\.9\.9 is no host"):
        target("10.1.0.3,10.9.9.9")
    with pytest.raises(ParamsError, match="`ip` is missing"):
        target(" , ")
