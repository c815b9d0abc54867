"""
Tests for :mod:`sipsorcery.appserver.simulation`.
"""
