"""The cluster's configuration: generated from an inventory, and merged into what is there."""
