"""What pages share (address, workload bar, charts, tables, small widgets), and parts of single ones (`<page>_*`)."""
