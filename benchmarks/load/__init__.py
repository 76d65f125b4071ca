"""The clients: wrk for load, our own where wrk cannot."""
