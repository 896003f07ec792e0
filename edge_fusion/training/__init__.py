"""From simulated episodes to a model file: dataset, network, fit, export, evaluate, card."""
