"""Run `k8swin lab up --foreground ...` with small machines: a lab's process for tests."""

from __future__ import annotations

import sys

from k8swin_lab import cli, lab

from lab.tests.servers.server_machines import build

lab._builder = lambda python_bash: build
sys.exit(cli.main(sys.argv[1:]))
