"""What a product image is and what may happen to it. Standard library only."""
