"""Speed and memory, measured: the same work in one run against the stock way and a peer, as medians and ratios.

python -m benchmarks                 what there is
python -m benchmarks NAME            a table
python -m benchmarks NAME --json     one JSON object a line: name, value, unit
"""
