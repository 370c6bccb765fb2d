"""How phases run. Knows hosts, scripts and outcomes; knows no phase, no script and no cluster by name.

What may live here: records of steps and phases, the runner, the report of outcomes, the record of a
run. What may not: anything about Kubernetes, IPython or a particular operating system's commands.
"""
