"""What of the documentation is made from the code, in English and Chinese: one module a page or a group of pages.

A module of a page in the repository has `PAGE`, its path below docs/<language>/, and `page(say)`, which returns its
text. One of pages that only the built site has has `pages(say)`. `python -m scripts.reference` writes the first kind,
with `--into` the second. Texts of the code are in Chinese where chinese.toml has them, else in English.
"""
