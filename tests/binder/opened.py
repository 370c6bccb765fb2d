"""Runs inside the container, by its Python: start it as BinderHub does, and say when exercise 1 can be had.

Arguments: the words of the image's start and command. Prints a JSON object: `url` of the page, `seconds` from the start until
it was there, `machines` of the lab that is up then.
"""

import json
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

config = json.loads((Path.home() / ".jupyter" / "jupyter_server_config.json").read_text())
page = config["LabApp"]["default_url"]
token = secrets.token_hex()
began = time.monotonic()
server = subprocess.Popen(
    [*sys.argv[1:], "--port", "18888", "--no-browser", f"--ServerApp.token={token}"],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
try:
    notebook = page.removeprefix("/lab/tree/")
    url = f"http://127.0.0.1:18888/api/contents/{notebook}?content=0"
    while server.poll() is None:
        try:
            asked = urllib.request.Request(url, headers={"Authorization": f"token {token}"})
            with urllib.request.urlopen(asked) as answer:
                assert json.load(answer)["type"] == "notebook"
                break
        except urllib.error.URLError:
            time.sleep(0.1)
    else:
        sys.exit(f"the server ended with {server.returncode}")
    seconds = time.monotonic() - began
    lab = subprocess.run(
        ["k8swin", "lab", "status", "--json"], capture_output=True, text=True, check=True
    )
    machines = [machine["os"] for machine in json.loads(lab.stdout)["machines"]]
    json.dump({"url": page, "seconds": seconds, "machines": machines}, sys.stdout)
finally:
    server.send_signal(signal.SIGTERM)
    server.wait()
    subprocess.run(["k8swin", "lab", "down"], check=True, stdout=subprocess.DEVNULL)
