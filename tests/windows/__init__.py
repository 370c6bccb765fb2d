"""Windows servers that may be thrown away, named in the environment. See docs/real-windows.md.

`site.py` says which servers, `test_looking.py` changes nothing on them, `test_workers.py` makes them workers and takes
them apart again, `report.py` writes down what happened without a name, an address or a secret of the site.
"""
