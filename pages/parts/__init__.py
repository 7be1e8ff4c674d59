"""What pages share (address, workload bar, charts, tables, plans, fleets), and parts of single ones (`<page>_*`)."""
