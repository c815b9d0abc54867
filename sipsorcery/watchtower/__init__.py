"""
The watchtower: keeps application servers alive, and says which of them get calls.

`tower` decides, `processes` starts and ends them, and `service` joins the two.
"""
