"""What is shown of the results: a table in the terminal, a page, a picture."""
