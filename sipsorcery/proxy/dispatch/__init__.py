"""
Dispatching: which application server gets a new call, and what when it is silent.

`dispatcher` chooses, and `offer` is such a call for the relay that carries it there.
"""
