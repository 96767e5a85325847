"""Pages of tools that judge one file of a user: a report in words, tables and figures, in one HTML file."""
