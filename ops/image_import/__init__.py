"""`product-images images import`: pictures of a computer or at addresses, put in through the public API."""
