"""A read-only view of a cluster through its API server.

What may live here: the client, what is taken of a kubeconfig, tables of nodes and pods. What may
not: anything that changes the cluster; steps do that with scripts that a reader sees.
"""
