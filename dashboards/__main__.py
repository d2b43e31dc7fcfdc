"""Writes the dashboards to ``dashboards/json``, as they are committed."""

from dashboards.written import write

if __name__ == "__main__":
    write()
