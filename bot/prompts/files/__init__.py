"""The files that come with a question, made into something that a model can be told or shown. Start at `material`."""
