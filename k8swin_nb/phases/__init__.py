"""What phases do: one module per notebook, mostly data.

What may live here: records of steps, the values that scripts may declare, documents that are built
from the plan. What may not: transports, notebooks, or anything that runs a step.
"""
