"""The door of a kernel: what others write in a notebook is masked on its way out."""

import textwrap
import threading
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from k8swin_nb.notebook import kernel_door
from k8swin_nb.secret import Secret
from k8swin_nb.tables.code import OPENING, highlighted

CANARY = "Nicht-aus-dem-Kern-5"

CELLS = {
    "printed": "print(word)",
    "on standard error": "import sys; print(word, file=sys.stderr)",
    "a result": "word",
    "an object of others": "{'a': [word]}",
    "a frame of others": "import pandas; pandas.DataFrame([[word]])",
    "HTML of others": "from IPython.display import HTML; HTML('<b>' + word + '</b>')",
    "JSON": "from IPython.display import JSON; JSON({'a': word})",
    "JSON of others' keys": "from IPython.display import JSON; JSON({word: [{word: 1}]})",
    "metadata": "display({'text/plain': 'x'}, raw=True, metadata={'m': word, word: 1})",
    "in pieces": "import sys, time\nfor piece in (word[:2], word[2:9], word[9:]): sys.stdout.write(piece); sys.stdout.flush(); time.sleep(0.3)",
    "around others": "import sys\nsys.stdout.write(word[:9]); sys.stdout.flush(); print('err', file=sys.stderr); print(word)",
    "locals": "%xmode Verbose\ndef f(password): raise ValueError('x')\nf(word)",
    "notes": "e = ValueError('x'); e.add_note(word); raise e",
    "updated": "h = display('x', display_id=True); h.update(word)",
    "a warning": "import warnings; warnings.warn(word)",
    "a log": "import logging; logging.getLogger('urllib3').error('to %s', word)",
    "a log's traceback": "import logging\ntry:\n    raise ValueError(word)\nexcept ValueError:\n    logging.exception('x')",
    "a thread's traceback": "import threading\ndef f(): raise ValueError(word)\nt = threading.Thread(target=f); t.start(); t.join()",
    "a program": "import subprocess; subprocess.run(['echo', word])",
    "a widget": "import ipywidgets; ipywidgets.HTML(word)",
    "a widget's choices": "ipywidgets.Dropdown(options={word: 1})",
    "an exception": "raise ValueError(word + '\\x1b]0;title\\x07')",
    "a chain": "try:\n    raise KeyError(word)\nexcept KeyError as e:\n    raise RuntimeError(word) from e",
    "ours": "from k8swin_nb import K8swinError\nraise K8swinError(word, hint=word)",
    "encoded": "import base64; print(base64.b64encode(word.encode()).decode(), word.encode().hex())",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    start = textwrap.dedent(
        """\
        %load_ext k8swin_nb
        from k8swin_nb import Secret
        # Put together, so that it is in no source of a cell.
        word = '-'.join(['Nicht', 'aus', 'dem', 'Kern', '5'])
        secret = Secret(word)
        """
    )
    cells = [nbformat.v4.new_code_cell(source) for source in (start, *CELLS.values())]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, allow_errors=True, store_widget_state=True, timeout=120)
    client.execute(cwd=str(tmp_path_factory.mktemp("kernel")))
    return notebook


def test_no_output_of_a_notebook_holds_a_secret_nor_its_metadata(executed: Any) -> None:
    text = nbformat.writes(executed)
    for form in (CANARY, CANARY.encode().hex(), "TmljaHQtYXVzLWRlbS1LZXJu"):
        assert form not in text
    for cell, name in zip(executed.cells[1:], CELLS, strict=True):
        assert "*****" in nbformat.writes(nbformat.v4.new_notebook(cells=[cell])), name


def test_an_unexpected_error_carries_colours_and_no_other_sequence(executed: Any) -> None:
    number = list(CELLS).index("an exception") + 1
    (error,) = executed.cells[number].outputs
    text = "".join(error.traceback)
    assert "\x1b[" in text and "\x1b]" not in text and "^[]0;title" in text


class Session:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, stream: Any, message: Any, content: Any = None, **more: Any) -> None:
        self.sent.append((message, content))


class Shell:
    class kernel:
        session = Session()


def test_the_door_is_put_up_once_and_taken_away() -> None:
    Secret(CANARY)
    shell: Any = Shell()
    session = shell.kernel.session
    own = session.send
    kernel_door.install(shell)
    kernel_door.install(shell)
    session.send(None, "stream", {"name": "stdout", "text": CANARY})
    session.send(None, {"msg_type": "stream", "content": {"text": CANARY}})
    session.send(None, "status", {"execution_state": "busy"})
    assert session.sent[0] == ("stream", {"name": "stdout", "text": "*****"})
    assert session.sent[1][0]["content"] == {"text": "*****"}
    assert session.sent[2] == ("status", {"execution_state": "busy"})
    kernel_door.remove(shell)
    assert session.send == own


def sent_by_kernel(*messages: tuple[str, dict[str, Any]]) -> list[tuple[str, Any]]:
    sent: list[tuple[str, Any]] = []
    door = kernel_door._behind(lambda stream, kind, content: sent.append((kind, content)))
    for kind, content in messages:
        door(None, kind, content)
    return sent


def printed(text: str, name: str = "stdout") -> tuple[str, dict[str, Any]]:
    return "stream", {"name": name, "text": text}


def test_printed_text_waits_only_where_a_secret_may_have_begun(forgotten_secrets: None) -> None:
    Secret(CANARY)
    assert sent_by_kernel(printed("... "), printed("50%")) == [printed("... "), printed("50%")]
    parts = [printed(part) for part in ("so: N", "icht-aus-", "dem-Kern-5", " done\n")]
    assert sent_by_kernel(*parts) == [printed("so: "), printed("*****"), printed(" done\n")]
    idle = ("status", {"execution_state": "idle"})
    assert sent_by_kernel(printed("Nicht-aus"), idle) == [printed("Nicht-aus"), idle]
    other = printed("x", "stderr")
    assert sent_by_kernel(printed("Nicht-aus"), other) == [printed("Nicht-aus"), other]


def test_words_of_the_protocol_stay_whatever_the_secrets_are(forgotten_secrets: None) -> None:
    for word in ("error", "update", "HTMLModel", "set_next_input", "state"):
        Secret(word)
    messages: list[tuple[str, dict[str, Any]]] = [
        ("execute_reply", {"status": "error", "ename": "error", "payload": [{"source": "set_next_input"}]}),
        ("comm_msg", {"data": {"method": "update", "state": {"_model_name": "HTMLModel"}}}),
    ]  # fmt: skip
    assert sent_by_kernel(*messages) == messages
    ((_, content),) = sent_by_kernel(("error", {"ename": "error", "evalue": "error"}))
    assert content == {"ename": "error", "evalue": "*****"}


def test_where_no_kernel_is_nothing_happens() -> None:
    kernel_door.install(object())  # type: ignore[arg-type]
    kernel_door.remove(object())  # type: ignore[arg-type]


def test_a_picture_is_left_as_it_is() -> None:
    data = {"image/png": "iVBORw0KGgo=", "text/plain": CANARY}
    Secret(CANARY)
    passed = kernel_door.passed_content("display_data", {"data": data, "metadata": {}})
    assert passed["data"] == {"image/png": "iVBORw0KGgo=", "text/plain": "*****"}


def _shown(html: str) -> str:
    sent = kernel_door.passed_content("display_data", {"data": {"text/html": html}})
    return str(sent["data"]["text/html"])


def test_html_with_listings_is_masked_within_them_and_between(forgotten_secrets: None) -> None:
    listings = [highlighted(f"echo one-canary{n}  # {n}\nls", "bash") for n in range(3)]
    html = f"<p>two-canary</p>{listings[0]}<i>two-canary</i>{listings[1]}{listings[0]}<b>x</b>"
    assert _shown(html) == html
    Secret("one-canary0")
    Secret("two-canary")
    shown = _shown(html)
    assert "two-canary" not in shown and "one-canary1" in shown
    assert "canary0" not in shown.replace("</span>", "")
    assert shown.count("*****") == 4 and shown.endswith("<b>x</b>")
    # What imitates a listing is no way past the door.
    assert "canary" not in _shown(f"{OPENING}two-<span>canary</span></pre>")
    assert "canary" not in _shown(f"{OPENING}<p>two-canary</p>{OPENING}two-canary</pre>two-canary")


def test_a_widget_that_is_collected_while_somebody_follows_cells_holds_nobody_up():
    """Its end is said in the thread that collects, which may hold what another one waits for that is at the door."""
    followed, at_the_door, passed = threading.RLock(), threading.Event(), []

    class Follows:
        def heard(self, kind, content, message):
            if kind == "stream":
                at_the_door.set()
                with followed:
                    passed.append(kind)
            else:
                passed.append(kind)

        def replied(self, content, message):
            pass

    door = kernel_door._Door(lambda *_, **__: None)
    door.listener = Follows()

    def collects():
        with followed:
            assert at_the_door.wait(60)
            door.passed(None, "comm_close", {"comm_id": "1", "data": {}})

    prints = threading.Thread(
        target=door.passed, args=(None, "stream", {"name": "stdout", "text": "x\n"}), daemon=True
    )
    collector = threading.Thread(target=collects, daemon=True)
    collector.start()
    prints.start()
    collector.join(60)
    prints.join(60)
    assert passed == ["comm_close", "stream"]
