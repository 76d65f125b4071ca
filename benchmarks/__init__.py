"""hybridd and its peers side by side on the same work; ``benchmarks/run --help``, docs/performance.md."""
