"""Speed beside other libraries: ``python -m bench``. Ratios from interleaved runs on one machine, stored as JSON."""
