"""What a preview shows to those who look at a pull request."""
