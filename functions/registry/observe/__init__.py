"""What ran, what it said, what it used: read for those who may.

looks     who looked, in the audit
lines     log lines of many executions
tail      what was written since, for polling and for streams
series    sums over time, for charts
fixtures  executions kept whole
bill      usage with its cost, as JSON and as CSV
"""
