"""What pages share: address, workload bar, charts, tables, small widgets."""
