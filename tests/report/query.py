"""Runs a query of envoy/queries over logs and prints its rows as JSON.

usage: query.py RECORDS.sql QUERY.sql NAME=VALUE...
"""

import json
import sys

import duckdb

records, query, *variables = sys.argv[1:]
connection = duckdb.connect(config={"enable_external_access": "true"})
for variable in variables:
    name, value = variable.split("=", 1)
    assert name.isidentifier(), name
    connection.execute(f"SET VARIABLE {name} = ?", [value])
for path in (records, query):
    with open(path, encoding="utf-8") as file:
        result = connection.execute(file.read())
names = [column[0] for column in result.description]
rows = [dict(zip(names, row)) for row in result.fetchall()]
print(json.dumps(rows, default=str))
