"""
Tests for `sipsorcery.transport.transactions`.
"""
