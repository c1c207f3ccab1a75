"""What every admin screen stands in: permission, tokens, forms, paging, words."""
