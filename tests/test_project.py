"""A working folder: begun with what comes with the toolkit, and never overwritten."""

from k8swin_nb.__main__ import main
from k8swin_nb.project import DESCRIPTIONS, notebooks_of, shipped
from tests.conftest import ROOT


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_init_writes_the_notebooks_the_descriptions_and_what_git_leaves_out(tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    assert main(["init", str(folder)]) == 0
    assert "k8swin run --params params/lab.yaml" in capsys.readouterr().out
    written = files_of(folder)
    assert {".gitignore", "notebooks/00_start_here.ipynb", "params/example.yaml"} <= set(written)
    assert set(written) == {
        ".gitignore",
        *(f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")),
        *(f"params/{name}" for name in DESCRIPTIONS),
    }
    for name in set(written) - {".gitignore"}:
        assert written[name] == (ROOT / name).read_bytes()
    assert written[".gitignore"].decode().splitlines() == [".k8swin/", "runs/"]


def test_a_second_init_changes_nothing(tmp_path, capsys):
    main(["init", str(tmp_path)])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    capsys.readouterr()
    assert main(["init", str(tmp_path)]) == 0
    assert "everything is there already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_init_names_what_differs_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "lab.yaml").write_text("mine\n")
    (tmp_path / ".gitignore").write_text("*.o\n")
    before = files_of(tmp_path)
    assert main(["init", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "params/lab.yaml" in told
    assert ".gitignore" in told
    assert "example.yaml" not in told
    assert files_of(tmp_path) == before


def test_init_fills_a_folder_that_has_other_things(tmp_path):
    (tmp_path / ".gitignore").write_text("*.o\nruns/\n.k8swin/\n")
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "mine.yaml").write_text("mine\n")
    assert main(["init", str(tmp_path)]) == 0
    assert (tmp_path / "params" / "mine.yaml").read_text() == "mine\n"
    assert (tmp_path / ".gitignore").read_text() == "*.o\nruns/\n.k8swin/\n"
    assert (tmp_path / "params" / "example.yaml").is_file()


def test_init_follows_no_link_out_of_the_folder(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "params").mkdir(parents=True)
    (inside / "params" / "lab.yaml").symlink_to(outside)
    assert main(["init", str(inside)]) == 2
    assert not outside.exists()


def test_init_says_why_a_folder_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file")]) == 2
    assert f"cannot write `{tmp_path / 'file'}" in capsys.readouterr().err


def test_the_description_of_a_site_beside_those_that_are_shipped_is_not_taken_along(tmp_path):
    assert {path.name for path in (ROOT / "params").glob("*.yaml")} >= set(DESCRIPTIONS)
    main(["init", str(tmp_path)])
    assert {path.name for path in (tmp_path / "params").iterdir()} == set(DESCRIPTIONS)


def test_a_folders_own_notebooks_come_first(tmp_path):
    assert notebooks_of(tmp_path) == shipped() / "notebooks"
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "other.ipynb").write_text("")
    assert notebooks_of(tmp_path) == shipped() / "notebooks"
    (tmp_path / "notebooks" / "02_master.ipynb").write_text("")
    assert notebooks_of(tmp_path) == tmp_path / "notebooks"
