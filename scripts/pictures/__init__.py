"""The diagrams of the documentation: one module a subject, with its texts in both languages."""
