"""
Tests for :mod:`sipsorcery.appserver.dial`.
"""
