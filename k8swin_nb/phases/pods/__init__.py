"""What runs in the cluster: manifests as data, and what is asked about them.

What may not live here: records of phases, transports, or anything that runs a step by itself.
"""
