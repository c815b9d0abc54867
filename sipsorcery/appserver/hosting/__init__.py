"""
What dialplans can ask for: the functions of ``sys``, ``lookup`` and ``crm``.
"""
