"""
Carry SIP messages between sockets and the layers above (:rfc:`3261#section-18`).

A `layer.TransportLayer` owns the listeners and the connections. What it receives it
hands on together with the `flow.Flow` it came by; what it sends leaves on a flow.
Nothing here knows a transaction, a dialog or a role.
"""
