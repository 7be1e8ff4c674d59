"""Pure cost arithmetic: what a usage, a machine or a plan costs, without any input or output."""
