"""Records that other load generators wrote, turned into the request rows of a bundle."""
