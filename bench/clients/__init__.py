"""One program for each tool: it runs `hostname` on many hosts, twice, and prints one line of JSON.

    python ours.py FOLDER PORT COUNT

`cold` is from the program's start to all answers, `warm` the same once more over what is open then, in seconds; `cpu` the
processor time of the program and its children for both, `mib` the most memory that one process had.
"""
