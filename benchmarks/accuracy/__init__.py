"""How often the scorer's intervals hold a truth that was planted, and how often its verdicts are wrong."""
