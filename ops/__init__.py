"""The operators' command line: API keys and the list of products, on AWS or on the local system."""
