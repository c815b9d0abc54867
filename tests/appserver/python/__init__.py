"""
Tests for :mod:`sipsorcery.appserver.python`.
"""
