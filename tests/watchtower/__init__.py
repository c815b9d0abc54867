"""
Tests for `sipsorcery.watchtower`.
"""
