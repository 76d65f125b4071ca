"""The worker process: its life, its connections' services, and which thread runs what."""
