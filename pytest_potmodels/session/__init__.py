"""One test session: which model a test gets, from whom, and what is written down about it."""
