"""Real programs of Kubernetes judge what our scripts give them. They run where a folder of them is named, see CONTRIBUTING.md."""
