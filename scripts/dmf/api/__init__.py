"""What people call from Python: `dmf.predict`, `dmf.train` and more, which the package imports when they are used."""
