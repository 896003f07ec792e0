"""The model contract: `spec.py` what a file states, `inputs.py` and `grid.py` a pane's tensors."""
