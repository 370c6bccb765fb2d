"""What a notebook shows and types: magics, the open phase, live output, parameters.

The only importers of IPython. What may not live here: decisions about hosts or clusters, and how tables and
pictures look; a program does without everything in this package by calling the layers below.
"""
