"""
Tests for :mod:`sipsorcery.appserver.plans.plans`.
"""
