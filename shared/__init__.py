"""The code that the chapters build and later chapters import, in rooms.

`world`, `text`, `model`, `training`, `tasks`, `preferences`, `serving` and `practice` are built one
on the other: each imports only from those before it, and from `book`, which serves the book itself
and imports from none.
"""
