"""CSV files: read in batches, good lines taken, bad ones named by their number."""
