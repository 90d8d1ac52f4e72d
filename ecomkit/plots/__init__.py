"""A frame in, a picture out."""
