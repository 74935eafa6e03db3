"""A remote's objects over the network: fsspec under the deadline, verdicts and counts of here."""
