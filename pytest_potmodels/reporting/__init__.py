"""Ledger rows, written for people and machines."""
