"""Where theory and training meet: certificates for runs, controls, and the rule that gives a verdict."""
