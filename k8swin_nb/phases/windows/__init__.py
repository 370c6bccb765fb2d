"""What steps on Windows workers need beyond scripts: programs, services, configurations, and jobs that outlive a connection.

What may not live here: records of phases, transports, or anything that runs a step by itself.
"""
