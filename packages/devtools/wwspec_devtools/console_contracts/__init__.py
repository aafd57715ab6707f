"""What the admin console is given for each ability: examples, schemas, types as Python source."""
