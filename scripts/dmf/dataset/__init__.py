"""How runs are kept: the contract every file obeys, checked reading and writing, and their assembly."""
