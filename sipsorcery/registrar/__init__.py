"""
The registrar: takes REGISTER and keeps the bindings of each account.
"""
