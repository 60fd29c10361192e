"""Quotes: a small web application that prices windows and writes quotations."""

__version__ = "1.0.0"
