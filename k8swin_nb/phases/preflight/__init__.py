"""What is looked at before anything is changed: what scripts found, judged by rules.

What may not live here: records of phases, transports, or anything that runs a step by itself.
"""
