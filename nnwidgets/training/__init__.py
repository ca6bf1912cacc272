"""Following a training: when to look at the model, in which thread, at what cost. Knows no widget and no plots."""
