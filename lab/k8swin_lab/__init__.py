"""The lab: stand-ins for all machines of a cluster, behind real SSH, WinRM and Kubernetes API sockets.

Here live simulated machines, the languages they speak and the servers in front of them. Nothing of
the toolkit may be imported here, nor anything from here by the toolkit: the two share the wire alone.
"""
