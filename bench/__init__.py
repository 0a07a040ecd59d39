"""The benchmarks, and the seeded generator of logs for them and for the tests."""
