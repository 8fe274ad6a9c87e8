"""The book on paper and for readers of books, made of the built site in a browser."""
