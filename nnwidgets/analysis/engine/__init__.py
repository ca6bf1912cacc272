"""Fast implementations behind the analyses. Engines of one analysis give the same values and differ in speed."""
