"""What the network plan, the routes and the protection of virtual networks need beyond scripts.

What may not live here: records of phases, transports, or anything that runs a step by itself.
"""
