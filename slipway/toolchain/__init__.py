"""Set-up of a machine and a checkout.

Standard library only: it runs before anything is installed.
"""
