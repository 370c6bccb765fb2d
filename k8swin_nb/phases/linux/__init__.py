"""What steps on Linux hosts need beyond scripts: container runtime, kubelet, downloads, and what the control plane is asked.

What may not live here: records of phases, transports, or anything that runs a step by itself.
"""
