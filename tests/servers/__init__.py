"""Real servers for the tests, each started from a temporary folder on free loopback ports."""
