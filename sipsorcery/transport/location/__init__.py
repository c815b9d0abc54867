"""
Find the servers of a SIP domain (:rfc:`3263`): the parts of the locator.

`sought`, `naptr`, `srv`, `addresses`, `cache`, `failed` and `policy` decide and are
pure; `reading` knows the records of Twisted, `questions` asks, `search` walks through
the steps of the RFC for one URI.
"""
