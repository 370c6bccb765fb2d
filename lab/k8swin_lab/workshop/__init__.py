"""A workshop: seats with a lab and a JupyterLab each on one server, and the trainer's view of them."""
