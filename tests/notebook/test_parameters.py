"""A notebook's parameters: what papermill and a person put into the kernel, completed and checked."""

import pytest
import yaml

from k8swin_nb.description import check_description
from k8swin_nb.errors import ParamsError
from k8swin_nb.notebook.notebook_parameters import (
    NotebookParameters,
    collect,
    given_names,
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
    """Return a kernel's namespace and cells after papermill injected `values`."""
    injected = "# Parameters\n" + "\n".join(f"{name} = {value!r}" for name, value in values.items())
    namespace = {"params_file": "params/own.yaml", "ip": None, **values}
    return namespace, [DECLARED, injected]


def refusal(**values) -> ParamsError:
    with pytest.raises(ParamsError) as caught:
        collect(*given(**values))
    return caught.value


def test_what_is_not_given_comes_from_the_file(project):
    mine, description = collect(*given())
    assert description.cluster_name == "own"
    assert mine == NotebookParameters(params_file="params/own.yaml")


def test_what_is_given_wins_over_the_file(project):
    _, description = collect(*given(kubernetes_version="1.35.8"))
    assert (description.cluster_name, description.kubernetes_version) == ("own", "1.35.8")


def test_given_hosts_keep_the_file_out(project):
    (project / "params" / "own.yaml").unlink()
    _, description = collect(*given(**described()))
    assert description.cluster_name == "k8swin"


def test_a_misspelt_parameter_stops_the_run_and_is_named(project):
    error = refusal(kubernets_version="1.36.4")
    assert "`kubernets_version`" in str(error)
    assert "`kubernetes_version`" in error.hint


def test_a_version_that_papermill_turned_into_a_number_is_named(project):
    error = refusal(kubernetes_version=1.3)
    assert "`kubernetes_version` arrived as the number 1.3" in str(error)


@pytest.mark.parametrize(("name", "value"), [("dry_run", "yes"), ("ip", 192.168), ("run_id", 7)])
def test_a_mistyped_parameter_of_the_notebook_is_named(project, name, value):
    error = refusal(**{name: value})
    assert f"`{name}` arrived as {type(value).__name__}" in str(error)
    assert name in error.hint


def test_a_missing_file_names_what_to_do(project):
    (project / "params" / "own.yaml").unlink()
    assert "`params_file`" in refusal().hint


def test_variables_of_other_cells_are_nobodys_parameters():
    mentions = 'note = "from " + params_file\nprint(params_file)'
    for other in ("x = 1\ny: int = 2", mentions, "%%bash\nparams_file=x", "(" * 5000):
        assert given_names([other, DECLARED]) == {"params_file", "ip"}


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
    _, description = collect(*given(**described(), params_file=own))
    assert description.folder == project / "params"
    assert description.state == project / ".k8swin"


def test_a_run_id_that_leads_elsewhere_is_refused(project):
    assert "is no name of a folder" in str(refusal(run_id="../x"))


def test_several_workers_are_named_with_commas_or_as_a_list(project):
    values = described()
    second = {**WORKER, "name": "winworker02", "address": "10.1.0.4"}
    values["hosts"] = [*values["hosts"], second]
    (project / "params" / "own.yaml").write_text(yaml.safe_dump(values))

    def target(ip):
        return require_target(*collect(*given(ip=ip)), "windows")

    for ip in ("10.1.0.3, 10.1.0.4", ["10.1.0.3", "10.1.0.4"], "10.1.0.3,10.1.0.4,10.1.0.3"):
        assert target(ip) == "10.1.0.3,10.1.0.4"
    with pytest.raises(ParamsError, match=r"10\.9\.9\.9 is no host"):
        target("10.1.0.3,10.9.9.9")
    with pytest.raises(ParamsError, match="`ip` is missing"):
        target(" , ")
