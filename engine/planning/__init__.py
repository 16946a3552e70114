"""From documents and inventory to a plan. Pure: values in, values out, no clock, no I/O."""
