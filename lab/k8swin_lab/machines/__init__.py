"""Machines as state: files, services, packages, features, networks, a boot.

What may live here: what a machine is and what a reboot does to it. What may not: sockets, interpreters, and commands;
those are adapters and programs over this state, and a machine is given those that it runs (`software`).
"""
