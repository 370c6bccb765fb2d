"""Run on a host: make an image of its own Python and `agnhost.py`, and give it to its container runtime.

usage: python3 web_image.py docker|containerd NAME
"""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

runtime, name = sys.argv[1:]
python = Path(sys.executable).resolve()
unneeded = re.compile(
    r"/(__pycache__|dist-packages|site-packages|test|idlelib|tkinter|ensurepip|lib2to3|config-[^/]*)(/|$)"
)

files = {"/usr/bin/python3": python, "/agnhost": Path(__file__).resolve().parent / "agnhost.py"}
for path in Path(os.__file__).parent.rglob("*"):
    if not unneeded.search(str(path)):
        files[str(path)] = path
listed = subprocess.run(["ldd", str(python)], stdout=subprocess.PIPE, check=True).stdout.decode()
for library in re.findall(r"(/\S+\.so\S*)", listed):
    files[library] = Path(library).resolve()
for library in Path("/lib/x86_64-linux-gnu").glob("libnss_*.so.2"):
    files[str(library)] = library.resolve()

layer = io.BytesIO()
with tarfile.open(fileobj=layer, mode="w") as archive:
    for target, path in sorted(files.items()):
        info = archive.gettarinfo(str(path), arcname=target.lstrip("/"))
        if not info.isreg():
            continue
        info.mode, info.mtime, info.uid, info.gid = 0o755, 0, 0, 0
        with path.open("rb") as content:
            archive.addfile(info, content)
digest = hashlib.sha256(layer.getvalue()).hexdigest()
configuration = json.dumps(
    {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/agnhost"], "Env": ["PATH=/usr/bin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]},
        "history": [{"created_by": "web_image.py"}],
    }
).encode()
about = hashlib.sha256(configuration).hexdigest() + ".json"
manifest = [{"Config": about, "RepoTags": [name], "Layers": [digest + "/layer.tar"]}]
parts = {
    about: configuration,
    digest + "/layer.tar": layer.getvalue(),
    "manifest.json": json.dumps(manifest).encode(),
}
image = Path("/var/tmp/k8swin-test-image.tar")
with tarfile.open(str(image), "w") as archive:
    for part, content in parts.items():
        info = tarfile.TarInfo(part)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
load = (
    ["docker", "load", "-q", "-i"]
    if runtime == "docker"
    else ["ctr", "-n", "k8s.io", "images", "import"]
)
subprocess.run([*load, str(image)], check=True)
image.unlink()
