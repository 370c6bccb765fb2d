"""Lock files of the stand-ins that the lab serves for download; data, read by `k8swin_lab.description`."""
