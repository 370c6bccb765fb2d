"""Stands in front of the lab on the import path where a run of tests is to do without it."""

raise ModuleNotFoundError("this run of the tests is without the lab", name=__name__)
