"""The command line: what people and service managers type."""
