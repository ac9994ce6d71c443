"""Contestants on pictures with truth: scores, tables, the worst cases."""
