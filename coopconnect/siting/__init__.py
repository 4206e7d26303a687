"""Which sites together: plans under the model's own demand, and the classical location models with their proof."""
