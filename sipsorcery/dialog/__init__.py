"""
What SIP does between two user agents: dialogs, and what goes on within them.

Everything here is pure. Messages, numbers and the time go in; judgements, messages to
send and the time of the next call come out. Whoever drives these machines brings the
transactions, the clock and the dice.
"""
