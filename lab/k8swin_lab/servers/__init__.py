"""The lab's real sockets: SSH, WinRM, the Kubernetes API and node ports.

Here live servers, which hold connections and nothing else; what they answer is asked of a machine or
a cluster. No state of a machine may live here, and no other package of the lab answers on the network: what else opens a
socket is for the lab's own processes (`control`, the bridge of `bash`).
"""
