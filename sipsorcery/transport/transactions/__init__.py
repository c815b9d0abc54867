"""
The machines of `sipsorcery.transaction` at work: what drives them.

`layer.TransactionLayer` is where to begin. `clients` and `servers` hold the machines of
either side and do what they ask for, with the `drive` they share and the `wheel` that
wakes them; `client` and `server` are a transaction as its user sees it.
"""
