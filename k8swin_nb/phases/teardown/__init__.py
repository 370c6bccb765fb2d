"""What a removal has to know before and while it takes something away.

What may not live here: records of phases, transports, or anything that runs a step by itself.
"""
