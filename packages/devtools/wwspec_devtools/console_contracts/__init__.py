"""What the admin console is given for each ability: examples, schemas, saved requests, types as Python source."""
