"""Ways to compute an analysis. Each engine gives the same values; they differ in speed."""
