"""Everything Breakeven knows and computes, usable without its pages: prices, costs, the gateway, the usage log."""
