"""Who ought to reach whom, how it is tried, and what an answer means.

What may not live here: records of phases, transports, or anything that runs a step by itself.
"""
