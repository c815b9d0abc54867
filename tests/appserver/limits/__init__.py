"""
Tests for :mod:`sipsorcery.appserver.limits`.
"""
