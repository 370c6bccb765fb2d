"""Commands of a simulated Linux machine, one module for each family, over the machine's state.

What lives here: programs (`Process` in, exit code out), what containers do (`containers`), kubeadm
(`kubeadm`), the files as commands see them (`files`), and what of all this a machine is given
(`software`). What may not: state that outlives a command (that is `machines`), text tools and the
shell (`bash`), sockets, and anything that knows a particular script.
"""
