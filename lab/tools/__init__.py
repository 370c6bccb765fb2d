"""Programs for those who work on the lab. They are not part of its distribution; the lab imports none of them."""
