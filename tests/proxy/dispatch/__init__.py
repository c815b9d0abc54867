"""
Tests for `sipsorcery.proxy.dispatch`.
"""
