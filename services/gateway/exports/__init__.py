"""CSV files of a show: in pages, each page a piece of the file."""
