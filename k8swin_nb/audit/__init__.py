"""The record of a run as evidence: sealed while it grows, and checked, read, compared and packed by people who were not there.

A seal is a statement (in-toto, version 1) of what every file of a run's folder holds. Signatures beside it are made and
checked by the tools that a site has already: `ssh-keygen`, `openssl`, `cosign`.

What may live here: what makes seals and what judges a folder that may be forged or hostile, with what was found. Nothing
that talks to a host or a cluster, and nothing that a record needs in order to be written.
"""
