"""The operators' command line: keys, products, repairs and a proof, on AWS or on the local system."""
