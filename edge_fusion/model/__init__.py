"""The model contract: `spec.py` what a file states, `inputs.py` how a pane becomes its tensors."""
