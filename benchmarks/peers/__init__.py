"""The servers: what they are, how they are installed, started and ended."""
