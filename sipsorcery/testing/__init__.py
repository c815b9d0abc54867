"""
Doubles for the tests of programs that are built on this package, and for our own.

They are public: their names stay, and they change as carefully as the rest.
`network.MemoryNetwork` links reactors that exist in memory only, with a clock that the
test moves; `consumer.RecordingConsumer` takes what a transport layer receives.
"""
