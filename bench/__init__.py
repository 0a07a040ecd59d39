"""The benchmarks, and the seeded generator of the logs they and the tests read."""
