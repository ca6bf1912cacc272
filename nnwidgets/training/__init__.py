"""Follow a training: when to copy the model, in which thread to compute, at what cost. Imports no widget."""
