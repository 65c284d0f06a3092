"""Side-by-side measurements of the built packages and of what a user would pick instead (`make bench`)."""
