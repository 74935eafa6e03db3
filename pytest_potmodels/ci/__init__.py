"""What a job of a CI service needs around its tests: a key, a warm cache, nothing else kept."""
