"""One module for each SDK API, named as the API, with its `Request` and `Response`."""
