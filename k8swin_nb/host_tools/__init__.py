"""What a day's work asks of hosts beside the phases: who is there, what they are, files, reboots, and work that outlives us.

What may live here: functions over open hosts, which notebooks and programs share, and `HostTools` and `JobTools`, which
make them methods of `Machines` and so of `api.Cluster`. What may not: steps of a phase, and anything about notebooks. Their scripts are
among the others in `scripts`.
"""
