"""A page to play with the theory: closed forms in the reader's own browser, checked against `dmf.theory`."""
