"""
Tests for `sipsorcery.transport.location`.
"""
