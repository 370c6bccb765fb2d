"""The lab's Kubernetes: objects, controllers and kubelets as plain state, without sockets.

What lives here: the API as functions (`api`), the objects behind it (`store`), what the control
plane does with them (`controllers`), the nodes (`kubelet`) and what kubeadm creates (`bootstrap`).
What may not: sockets and HTTP framing (`servers`), simulated commands (`linux`,
`windows`), and anything that knows a particular manifest.
"""
