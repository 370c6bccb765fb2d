"""A read-only view of a cluster through its API server.

What may live here: the client, tables of nodes and pods. The only door to the `kubernetes` library. What may
not: anything that changes the cluster; steps do that with scripts that a reader sees.
"""
