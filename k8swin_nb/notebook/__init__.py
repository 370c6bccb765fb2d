"""What a notebook shows and types: magics, the open phase, tables, pictures, forms.

The only importers of IPython and ipywidgets. What may not live here: decisions about hosts or clusters;
a cell must be able to do without everything in this package by calling the layers below.
"""
