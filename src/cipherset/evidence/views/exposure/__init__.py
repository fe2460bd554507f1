"""What was given away of each key, model and dataset, of what may be; the gauges of the console."""
