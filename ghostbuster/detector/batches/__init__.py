"""A detector as a function of batches of rows, in any process it lands in. Imports `detector`, `tables`."""
