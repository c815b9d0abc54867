"""
Tests for :mod:`sipsorcery.appserver.calls.calls`.
"""
