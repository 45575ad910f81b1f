"""Tables of texts, whole or in chunks: CSV, TSV, JSON lines, Parquet, folders of documents; resumable.

A kind of table is a file in `kinds/` and a row in `registry.KINDS`. May import `metrics`, `text`, `folds` and
what lies below; never `models` or `features`.
"""
