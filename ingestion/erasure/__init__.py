"""Erasing one patient from everything this box holds: the record, the kept files, their ledger and the index."""
