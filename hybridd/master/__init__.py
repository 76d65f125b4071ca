"""The master: one thread that binds, forks, supervises and reports, and never runs application code."""
