"""
Dispatching: which application server gets a new call, and what when it does not answer.

`file` reads who there is, `health` says who is well, `choice` in which order to ask.
`probing` asks them how they are, and `dispatcher` puts it together.
"""
