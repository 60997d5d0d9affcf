"""The sort of the columns alone, for B2. usage: sort_alone.py FOLDER -> one JSON line."""

from __future__ import annotations

import json
import sys

import duckdb

if __name__ == "__main__":
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    columns = "customer_id, ts, event, channel, value"
    query = f"SELECT {columns} FROM '{sys.argv[1]}/*.parquet' ORDER BY customer_id, ts"
    connection.execute(f"CREATE TEMP TABLE sorted AS {query}")
    rows = connection.execute("SELECT COUNT(*) FROM sorted").fetchone()
    print(json.dumps({"rows": rows[0] if rows else 0}))
