"""From simulated episodes to a model file with its card: dataset, network, fit, export, evaluate."""
