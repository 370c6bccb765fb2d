"""Commands of a simulated Linux machine, one module for each family, over the machine's state.

What lives here: programs (`Process` in, exit code out), what containers do (`containers`), kubeadm
(`kubeadm`), and the options and files that commands share (`arguments`, `files`). What may not:
state that outlives a command (that is `lab/machines`), text tools and the shell (`lab/bash`),
sockets, and anything that knows a particular script.
"""
