"""Reading the kernel's books about processes, and what the figures mean."""
