"""Evidence from hosts, what it shows, and where it is kept.

What may not live here: records of phases, transports, or anything that runs a step by itself.
"""
