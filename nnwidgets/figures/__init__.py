"""One matplotlib drawing for each analysis: a result and a figure in, no model, no pyplot, no global state."""
