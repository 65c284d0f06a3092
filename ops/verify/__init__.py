"""`product-images verify`: proves after a deployment that the service does what it promises."""
