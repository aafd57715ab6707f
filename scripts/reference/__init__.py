"""The pages of the documentation that are made from the code: one module a page, in English and Chinese.

Each module has `PAGE`, its path below docs/<language>/, and `page(say)`, which returns its text. `python -m
scripts.reference` writes all of them. Texts of the code are in Chinese where chinese.toml has them, else in English.
"""
