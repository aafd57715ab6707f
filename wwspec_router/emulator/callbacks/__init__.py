"""The callbacks that WeCom sends to an app: sealed, carried, received."""
