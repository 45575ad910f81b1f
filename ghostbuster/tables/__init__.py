"""Tables of texts in and out: CSV, TSV, JSON lines, Parquet, folders of documents; resumable.

May import `metrics`, `text`, `folds` and what lies below; never `models` or `features`.
"""
