"""What a step would change, as text: settings, unified diffs of files, masked and bounded."""

import pytest

from k8swin_nb.redact import REDACTOR
from k8swin_nb.secret import Secret
from k8swin_nb.workflow import difference
from k8swin_nb.workflow.difference import file, setting, text_of, without


def test_settings_and_files_are_told_in_the_order_in_which_a_check_said_them():
    lines = ["before", "would: a: 1 -> 2", "would write: /f", "-|x", "+|y", "would: done", "after"]
    left, found = without(lines)
    assert left == ["before", "after"]
    assert text_of(found).splitlines() == [
        "a: 1 -> 2",
        "--- /f",
        "+++ /f",
        "@@ -1 +1 @@",
        "-x",
        "+y",
        "done",
    ]


def test_a_file_that_is_not_there_is_compared_with_nothing():
    assert text_of([file("/f", None, "one\n")]).splitlines()[:2] == ["--- /dev/null", "+++ /f"]


@pytest.mark.parametrize(
    ("found", "wanted", "told"),
    [
        ("a\r\nb\r\n", "a\nb\n", ["-a^M", "-b^M", "+a", "+b"]),
        ("a\nb", "a\nb\n", [" a", " b", f"-{difference.NO_END}"]),
        ("a\u2028b\n", "a\n", ["-a<U+2028>b", "+a"]),
        ("", "a", ["+a", f"+{difference.NO_END}"]),
    ],
)
def test_what_ends_lines_and_files_otherwise_is_told_as_a_difference(found, wanted, told):
    assert text_of([file("/f", found, wanted)]).splitlines()[3:] == told


def test_a_line_that_begins_as_a_difference_does_is_of_a_file_only_behind_its_name():
    assert without(["-|x", "the sum"]) == (["-|x", "the sum"], ())


def test_a_secret_in_a_file_is_masked(monkeypatch):
    secret = Secret("pass-of-the-file-99")
    text = text_of(
        [file("/f", "password = 'pass-of-the-file-99'", "none"), setting("s", secret.reveal(), "x")]
    )
    assert "pass-of-the-file-99" not in text and REDACTOR.redact(text) == text


HELD = [
    "//srv/share /mnt cifs username=joe,password=S3cretzz,uid=0 0 0",
    '  password = "S3cretzz"',
    '  "auth": "S3cretzz",',
    'Authorization = ["Basic S3cretzz"]',
    "Authorization: Basic S3cretzz==",
    "identity_token = S3cretzz two",
    '"splunk-token": "S3cretzz"',
    "registry_password: S3cretzz",
    "export API_KEY='S3cretzz'",
    "sshpass_pwd=S3cretzz;",
]
TOLD = [
    "  auth: {",
    "automountServiceAccountToken: true",
    "tokenTTL: 24h0m0s",
    "credentials=/root/.smb",
    "authorization:",
    "  secretName: flannel",
    '  "password": "",',
    "# the password is known",
]


def test_what_is_a_secret_by_its_name_is_not_told_and_the_rest_of_its_line_is():
    told = text_of([file("/etc/fstab", "\n".join(HELD), "\n".join(TOLD) + "\n")])
    assert "S3cretzz" not in told
    assert "-//srv/share /mnt cifs username=joe,password=*****,uid=0 0 0" in told
    assert all(f"+{line}" in told.splitlines() for line in TOLD)
    assert "S3cretzz" not in text_of([setting("service x", "run --token=S3cretzz", "run")])


@pytest.mark.timeout(20)
def test_a_line_without_an_end_is_told_in_a_time_that_does_not_grow_with_its_square():
    assert len(text_of([file("/f", "a.b-" * 500_000, "password" * 200_000)])) < 30_000


@pytest.mark.parametrize("lines", [difference.COMPARED - 1, difference.COMPARED + 1, 300_000])
def test_a_long_file_is_bounded(lines):
    text = text_of([file("/f", None, "line\n" * lines)])
    assert len(text.splitlines()) <= difference.SHOWN_LINES + 1
    assert len(text) <= difference.SIZE + 100
    assert "lines" in text.splitlines()[-1]
