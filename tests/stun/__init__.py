"""
Tests for :mod:`sipsorcery.stun`.
"""
