"""What phases do: one module per notebook, records alone; beside them, by place of work, what their steps need.

What may live here: records of steps, what steps need beyond scripts, the values that scripts may declare, documents
that are built from the plan, and views. What may not: transports, notebooks, or anything that runs a step by itself.
"""
