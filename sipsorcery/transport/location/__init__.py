"""
Find the servers of a SIP domain (:rfc:`3263`).

`locator.Locator` is where to begin. Of its parts, `sought`, `naptr`, `srv`,
`addresses`, `cache`, `failed` and `policy` decide and are pure; `reading` knows the
records of Twisted, `questions` asks, `search` walks through the steps of the RFC for
one URI.
"""
