"""What was really spent? The usage log, its roll-ups, imports, and the way back into a workload."""
