"""The code that the chapters build and later chapters import, in the order it is built."""
