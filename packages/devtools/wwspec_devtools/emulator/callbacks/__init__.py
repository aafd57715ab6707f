"""The callbacks that WeCom sends to an app: their encryption, delivery and receipt."""
