"""pynguin as an author of tests: it searches an independent program of ours for inputs that show what it does."""
