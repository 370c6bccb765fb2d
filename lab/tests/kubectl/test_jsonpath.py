from __future__ import annotations

import pytest
from k8swin_lab.kubectl.errors import KubectlError
from k8swin_lab.kubectl.jsonpath import relaxed, render

NODES = {
    "kind": "List",
    "items": [
        {
            "metadata": {"name": "a", "labels": {"kubernetes.io/os": "linux"}},
            "status": {
                "conditions": [
                    {"type": "Ready", "status": "True"},
                    {"type": "Disk", "status": "False"},
                ],
                "ok": True,
            },
        },
        {"metadata": {"name": "b", "labels": {}}, "status": {"conditions": [], "count": 3}},
    ],
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.items[*].metadata.name}", "a b"),
        ("{.items[0].metadata.labels.kubernetes\\.io/os}", "linux"),
        ("{.items[0].metadata.labels['kubernetes\\.io/os']}", "linux"),
        ('{.items[0].status.conditions[?(@.type=="Ready")].status}', "True"),
        ('{range .items[*]}{.metadata.name}{"\\n"}{end}', "a\nb\n"),
        ("{.items[-1].metadata.name}", "b"),
        ("{.items[0:1].metadata.name}", "a"),
        ("{.items[*].status.nosuch}", ""),
        ("{..name}", "a b"),
        ("{.items[0].status.ok} {.items[1].status.count}", "true 3"),
        ("{.items[1].metadata}", '{"name":"b","labels":{}}'),
        ("{$.kind}", "List"),
        ("text {.kind} more", "text List more"),
        ("{.items[?(@.status.count>2)].metadata.name}", "b"),
    ],
)
def test_a_template_is_filled_in_as_kubectl_does(template, text):
    assert render(template, NODES) == text


def test_braces_are_added_when_there_are_none():
    assert render(relaxed(".kind"), NODES) == "List"


@pytest.mark.parametrize("template", ["{.x", "{range .items[*]}{.x}", "{end}", "{.items[x]}"])
def test_a_malformed_template_is_refused(template):
    with pytest.raises(KubectlError, match="error parsing jsonpath"):
        render(template, NODES)
