"""`hybridd top`: the workers of a running hybridd, live in the terminal: figures, what they do, keys for the verbs."""
