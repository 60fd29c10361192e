"""The request handlers, one module for each part of the site."""
