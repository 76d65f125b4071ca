"""What the operator may say: settings, their conversion, and loading with origins."""
